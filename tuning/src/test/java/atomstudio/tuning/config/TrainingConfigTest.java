package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.run.RunInfo;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingConfigTest {
    private static final TrainingConfig DEFAULTS = TrainingConfig
            .of(MethodSettings.of(MethodName.ATOMS));
    private static final TrainingConfig EVERYTHING = TrainingSettingsTest.everyOther()
            .with(TrainingSetting.STEPS, "77")
            .toConfig(TrainingSettingsTest.COMBINED, ModelSize.SMALL);
    @TempDir
    Path folder;

    @Test
    void roundTripsThroughJson() throws Exception {
        for (TrainingConfig config : List.of(DEFAULTS, EVERYTHING))
            assertEquals(config, TrainingConfigJson.read(new Json("run.json", TrainingConfigJson.write(config))));
    }

    @Test
    void readsTheNamesOfOlderVersions() throws Exception {
        for (TrainingConfig config : List.of(DEFAULTS, EVERYTHING)) {
            JsonObject json = TrainingConfigJson.write(config);
            for (TrainingSetting setting : TrainingSetting.values())
                for (String alias : setting.aliases())
                    if (json.has(setting.option())) json.add(alias, json.remove(setting.option()));
            assertTrue(json.has("rate") && json.has("min-snr") && json.has("checkpointing"), json.toString());
            assertEquals(config, TrainingConfigJson.read(new Json("run.json", json)));
        }
    }

    @Test
    void rejectsASettingUnderTwoNames() {
        JsonObject json = TrainingConfigJson.write(DEFAULTS);
        json.addProperty("rate", 0.5);
        String message = assertThrows(Failure.Unreadable.class,
                () -> TrainingConfigJson.read(new Json("run.json", json))).getMessage();
        assertTrue(message.contains("run.json") && message.contains("learning-rate and rate"), message);
    }

    @Test
    void keepsTheLargestSeedExactly() throws Exception {
        MethodSettings atoms = MethodSettings.of(MethodName.ATOMS);
        String largest = "18446744073709551615";
        TrainingConfig config = new TrainingSettings(Map.of(TrainingSetting.SEED, largest)).toConfig(atoms,
                ModelSize.SMALL);
        JsonObject json = TrainingConfigJson.write(config);
        assertEquals(largest, json.get("seed").getAsString());
        assertEquals(config, TrainingConfigJson.read(new Json("run.json", json)));
        assertEquals(largest, TrainingSettings.of(config, atoms, ModelSize.SMALL).chosen().get(TrainingSetting.SEED));
        for (String wrong : List.of("18446744073709551616", "1.5", "x")) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> new TrainingSettings(Map.of(TrainingSetting.SEED, wrong)).toConfig(atoms, ModelSize.SMALL))
                    .getMessage();
            assertTrue(message.startsWith("seed: expected a whole number from 0 to " + largest), message);
        }
        json.add("seed", new JsonPrimitive(new BigDecimal("1e400")));
        assertThrows(Failure.Unreadable.class, () -> TrainingConfigJson.read(new Json("run.json", json)));
    }

    @Test
    void testConfigDiffersFromTheDefaultsInEverySetting() {
        Map<TrainingSetting, Object> defaults = TrainingConfigJson.values(DEFAULTS);
        TrainingConfigJson.values(EVERYTHING)
                .forEach((setting, value) -> assertNotEquals(defaults.get(setting), value, setting.option()));
    }

    @Test
    void continuingARunNamesEverySettingThatDiffers() throws Exception {
        info(EVERYTHING).extendedTo(info(EVERYTHING), folder);
        Failure rejected = assertThrows(Failure.Incompatible.class,
                () -> info(DEFAULTS).extendedTo(info(EVERYTHING), folder));
        for (TrainingSetting setting : TrainingSetting.values())
            if (setting != TrainingSetting.STEPS)
                assertTrue(rejected.getMessage().contains("  " + setting.option() + ": the run has "),
                        setting.option() + " in " + rejected.getMessage());
    }

    @Test
    void cosineSchedulerFixesTheNumberOfSteps() {
        for (int steps : new int[] {50, 150}) {
            TrainingConfig other = EVERYTHING.with(TrainingSetting.STEPS, steps);
            Failure rejected = assertThrows(Failure.Incompatible.class,
                    () -> info(EVERYTHING).extendedTo(info(other), folder));
            assertTrue(rejected.getMessage().contains("steps") && rejected.getMessage().contains("77")
                    && rejected.getMessage().contains("" + steps), rejected.getMessage());
        }
    }

    @Test
    void keepsTheRunsResolvedBatchSize() throws Exception {
        RunInfo given = info(DEFAULTS.with(TrainingSetting.BATCH_SIZE, 3), 3);
        assertEquals(6, info(DEFAULTS, 6).extendedTo(info(DEFAULTS, 4), folder).config().batchSize(),
                "another default does not change a run that is continued");
        given.extendedTo(info(DEFAULTS, 3), folder);
        Failure rejected = assertThrows(Failure.Incompatible.class, () -> given.extendedTo(info(DEFAULTS, 6), folder));
        assertTrue(rejected.getMessage().contains("batch-size: the run has 3, requested is 6"), rejected.getMessage());
    }

    @Test
    void learningRateWarmsUpLinearlyAndDecaysAsHalfACosine() {
        TrainingConfig.ScheduleConfig schedule = DEFAULTS
                .with(Map.of(TrainingSetting.STEPS, 110, TrainingSetting.LEARNING_RATE, 0.1,
                        TrainingSetting.WARMUP_STEPS, 10, TrainingSetting.LR_SCHEDULER,
                        TrainingConfig.LearningRateScheduler.COSINE))
                .schedule();
        assertEquals(0.01, schedule.learningRate(0), 1e-12);
        assertEquals(0.1, schedule.learningRate(10), 1e-12);
        assertEquals(0.05, schedule.learningRate(60), 1e-12);
        assertEquals(0.1 * 0.5 * (1 + Math.cos(Math.PI * 0.99)), schedule.learningRate(109), 1e-12);
        assertEquals(0.1, DEFAULTS.with(Map.of(TrainingSetting.LEARNING_RATE, 0.1, TrainingSetting.WARMUP_STEPS, 0))
                .schedule()
                .learningRate(0), 0);
    }

    @Test
    void rejectsInvalidValuesByOption() {
        rejected(TrainingSetting.EMA_DECAY, 1.0);
        rejected(TrainingSetting.GRADIENT_ACCUMULATION, 0);
        rejected(TrainingSetting.MIN_SNR_GAMMA, -1.0);
        rejected(TrainingSetting.NOISE_OFFSET, 2.0);
        rejected(TrainingSetting.PRIOR_LOSS_WEIGHT, 0.0);
        rejected(TrainingSetting.CAPTION_TEMPLATE, "a car");
        rejected(TrainingSetting.WARMUP_STEPS, -1);
        rejected(TrainingSetting.WORD_LEARNING_RATE, OptionalDouble.of(10));
    }

    private static void rejected(TrainingSetting setting, Object value) {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EVERYTHING.with(setting, value)).getMessage()
                .startsWith(setting.option() + ": expected"));
    }

    private static RunInfo info(TrainingConfig config) {
        return info(config, config.optimizer().batchSize());
    }

    private static RunInfo info(TrainingConfig config, int batch) {
        return new RunInfo(new RunInfo.BaseModelInfo(Path.of("/m"), "Base", "00"),
                new RunInfo.SubjectInfo("car", "sks", List.of(), List.of("a")),
                MethodSettings.of(MethodName.ATOMS),
                new RunInfo.ResolvedConfig(config, batch, config.data().resolution()), 81, "");
    }
}
