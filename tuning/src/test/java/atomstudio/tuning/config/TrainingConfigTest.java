package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.RunInfo;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingConfigTest {
    private static final TrainingConfig USUAL = TrainingConfig.of(MethodSettings.of(MethodSettings.MethodName.ATOMS));
    private static final TrainingConfig EVERYTHING = new TrainingConfig(
            new TrainingConfig.ScheduleConfig(77,
                    new TrainingConfig.LearningRateConfig(0.02, OptionalDouble.of(0.3), OptionalDouble.of(0.03),
                            OptionalDouble.of(0.004)),
                    5, 3, TrainingConfig.LearningRateDecay.COSINE),
            new TrainingConfig.OptimizerConfig(TrainingConfig.OptimizerName.PRODIGY, 3, 2, 0.99),
            new TrainingConfig.DataConfig(96, TrainingConfig.CropMode.WHOLE, "a photo of {}", 64),
            new TrainingConfig.LossConfig(5, 0.05, Optional.of(new TrainingConfig.PriorPreservation("auto", 0.5))),
            new TrainingConfig.RuntimeConfig(10, TrainingConfig.PrecisionMode.BF16,
                    Set.of(TrainingConfig.Feature.values())));
    @TempDir
    Path folder;

    @Test
    void everySettingComesBackFromItsJson() throws Exception {
        for (TrainingConfig recipe : List.of(USUAL, EVERYTHING))
            assertEquals(recipe, TrainingConfigJson.read(new Json("run.json", TrainingConfigJson.write(recipe))));
    }

    @Test
    void theLargestSeedIsKeptAsThePersonWroteIt() throws Exception {
        MethodSettings atoms = MethodSettings.of(MethodSettings.MethodName.ATOMS);
        String most = "18446744073709551615";
        TrainingConfig recipe = new TrainingSettings(Map.of(TrainingSetting.SEED, most)).toConfig(atoms);
        JsonObject json = TrainingConfigJson.write(recipe);
        assertEquals(most, json.get("seed").getAsString());
        assertEquals(recipe, TrainingConfigJson.read(new Json("run.json", json)));
        assertEquals(most, TrainingSettings.of(recipe, atoms).chosen().get(TrainingSetting.SEED));
        for (String wrong : List.of("18446744073709551616", "1.5", "x")) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> new TrainingSettings(Map.of(TrainingSetting.SEED, wrong)).toConfig(atoms)).getMessage();
            assertTrue(message.startsWith("seed: expected a whole number from 0 to " + most), message);
        }
        json.add("seed", new JsonPrimitive(new BigDecimal("1e400")));
        assertThrows(Failure.Unreadable.class, () -> TrainingConfigJson.read(new Json("run.json", json)));
    }

    @Test
    void everythingDiffersFromTheDefaultsInEverySetting() {
        Map<String, Object> usual = TrainingConfigJson.settings(USUAL);
        TrainingConfigJson.settings(EVERYTHING)
                .forEach((name, value) -> assertTrue(!value.equals(usual.get(name)), name));
    }

    @Test
    void aRunGoesOnWithTheSameSettingsOnlyAndEachThatDiffersIsNamed() throws Exception {
        info(EVERYTHING).extendedTo(info(EVERYTHING), folder);
        Failure refused = assertThrows(Failure.Incompatible.class,
                () -> info(USUAL).extendedTo(info(EVERYTHING), folder));
        for (String name : TrainingConfigJson.settings(USUAL).keySet())
            if (!name.equals("steps"))
                assertTrue(refused.getMessage().contains("  " + name + ": the run has "),
                        name + " in " + refused.getMessage());
    }

    @Test
    void underCosineNeitherMoreNorFewerStepsAreAllowed() {
        for (int steps : new int[] {50, 150}) {
            TrainingConfig other = EVERYTHING.with(EVERYTHING.schedule().withSteps(steps));
            Failure refused = assertThrows(Failure.Incompatible.class,
                    () -> info(EVERYTHING).extendedTo(info(other), folder));
            assertTrue(refused.getMessage().contains("steps") && refused.getMessage().contains("77")
                    && refused.getMessage().contains("" + steps), refused.getMessage());
        }
    }

    @Test
    void whatIsLeftOpenIsAsTheRunHasIt() throws Exception {
        RunInfo given = info(
                USUAL.with(new TrainingConfig.OptimizerConfig(TrainingConfig.OptimizerName.ADAMW, 3, 1, 0)), 3);
        assertEquals(6, info(USUAL, 6).extendedTo(info(USUAL, 4), folder).config().batchSize(),
                "another default does not change a run that goes on");
        given.extendedTo(info(USUAL, 3), folder);
        Failure refused = assertThrows(Failure.Incompatible.class, () -> given.extendedTo(info(USUAL, 6), folder));
        assertTrue(refused.getMessage().contains("batch: the run has 3, asked for is 6"), refused.getMessage());
    }

    @Test
    void theRateRisesAndFallsAsAHalfCosine() {
        TrainingConfig.ScheduleConfig course = new TrainingConfig.ScheduleConfig(110, 0.1, 0, 10,
                TrainingConfig.LearningRateDecay.COSINE);
        assertEquals(0.01, course.learningRate(0), 1e-12);
        assertEquals(0.1, course.learningRate(10), 1e-12);
        assertEquals(0.05, course.learningRate(60), 1e-12);
        assertEquals(0.1 * 0.5 * (1 + Math.cos(Math.PI * 0.99)), course.learningRate(109), 1e-12);
        assertEquals(0.1, new TrainingConfig.ScheduleConfig(5, 0.1, 0, 0, TrainingConfig.LearningRateDecay.CONSTANT)
                .learningRate(0), 0);
    }

    @Test
    void numbersThatCannotBeAreRefusedByTheirOption() {
        refused("ema", () -> new TrainingConfig.OptimizerConfig(TrainingConfig.OptimizerName.ADAMW, 0, 1, 1));
        refused("accumulate", () -> new TrainingConfig.OptimizerConfig(TrainingConfig.OptimizerName.ADAMW, 0, 0, 0));
        refused("min-snr", () -> new TrainingConfig.LossConfig(-1, 0, Optional.empty()));
        refused("noise-offset", () -> new TrainingConfig.LossConfig(0, 2, Optional.empty()));
        refused("prior-weight", () -> new TrainingConfig.PriorPreservation("auto", 0));
        refused("caption-template", () -> new TrainingConfig.DataConfig(0, TrainingConfig.CropMode.CENTRE, "a car", 0));
        refused("warmup",
                () -> new TrainingConfig.ScheduleConfig(1, 0.1, 0, -1, TrainingConfig.LearningRateDecay.CONSTANT));
    }

    private static void refused(String option, Runnable making) {
        assertTrue(assertThrows(IllegalArgumentException.class, making::run).getMessage()
                .startsWith(option + ": expected"));
    }

    private static RunInfo info(TrainingConfig recipe) {
        return info(recipe, recipe.optimizer().batchSize());
    }

    private static RunInfo info(TrainingConfig recipe, int batch) {
        return new RunInfo(new RunInfo.BaseModelInfo(Path.of("/m"), "Base", "00"),
                new RunInfo.SubjectInfo("car", "sks", List.of(), List.of("a")),
                MethodSettings.of(MethodSettings.MethodName.ATOMS),
                new RunInfo.ResolvedConfig(recipe, batch, recipe.data().size()), 81, "");
    }
}
