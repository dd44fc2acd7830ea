package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeTest {
    private static final Recipe USUAL = Recipe.of(MethodSettings.of(MethodSettings.MethodName.ATOMS));
    private static final Recipe EVERYTHING = new Recipe(new Recipe.Course(77, new Recipe.Rates(0.02, OptionalDouble.of(0.3), OptionalDouble.of(0.03), OptionalDouble.of(0.004)), 5, 3, Recipe.Decay.COSINE), new Recipe.Update(Recipe.OptimizerName.PRODIGY, 3, 2, 0.99),
            new Recipe.Material(96, Recipe.Crop.WHOLE, "a photo of {}", 64), new Recipe.Weighing(5, 0.05, Optional.of(new Recipe.Prior("auto", 0.5))),
            new Recipe.Running(10, Recipe.Precision.BF16, Set.of(Recipe.Feature.values())));
    @TempDir Path folder;

    @Test void everySettingComesBackFromItsJson() throws Exception {
        for (Recipe recipe : List.of(USUAL, EVERYTHING)) assertEquals(recipe, RecipeJson.read(new Json("run.json", RecipeJson.write(recipe))));
    }

    @Test void theLargestSeedIsKeptAsThePersonWroteIt() throws Exception {
        MethodSettings atoms = MethodSettings.of(MethodSettings.MethodName.ATOMS);
        String most = "18446744073709551615";
        Recipe recipe = new TrainingSettings(Map.of(TrainingSetting.SEED, most)).recipe(atoms);
        JsonObject json = RecipeJson.write(recipe);
        assertEquals(most, json.get("seed").getAsString());
        assertEquals(recipe, RecipeJson.read(new Json("run.json", json)));
        assertEquals(most, TrainingSettings.of(recipe, atoms).chosen().get(TrainingSetting.SEED));
        for (String wrong : List.of("18446744073709551616", "1.5", "x")) {
            String message = assertThrows(IllegalArgumentException.class, () -> new TrainingSettings(Map.of(TrainingSetting.SEED, wrong)).recipe(atoms)).getMessage();
            assertTrue(message.startsWith("seed: expected a whole number from 0 to " + most), message);
        }
        json.add("seed", new JsonPrimitive(new BigDecimal("1e400")));
        assertThrows(Failure.Unreadable.class, () -> RecipeJson.read(new Json("run.json", json)));
        json.addProperty("seed", -1);
        assertEquals(recipe, RecipeJson.read(new Json("run.json", json)), "of a run from before");
    }

    @Test void everythingDiffersFromTheDefaultsInEverySetting() {
        Map<String, Object> usual = RecipeJson.settings(USUAL);
        RecipeJson.settings(EVERYTHING).forEach((name, value) -> assertTrue(!value.equals(usual.get(name)), name));
    }

    @Test void aRunGoesOnWithTheSameSettingsOnlyAndEachThatDiffersIsNamed() throws Exception {
        info(EVERYTHING).reconciled(info(EVERYTHING), folder);
        Failure refused = assertThrows(Failure.Incompatible.class, () -> info(USUAL).reconciled(info(EVERYTHING), folder));
        for (String name : RecipeJson.settings(USUAL).keySet()) if (!name.equals("steps")) assertTrue(refused.getMessage().contains("  " + name + ": the run has "), name + " in " + refused.getMessage());
    }

    @Test void underCosineNeitherMoreNorFewerStepsAreAllowed() {
        for (int steps : new int[] {50, 150}) {
            Recipe other = EVERYTHING.with(EVERYTHING.course().withSteps(steps));
            Failure refused = assertThrows(Failure.Incompatible.class, () -> info(EVERYTHING).reconciled(info(other), folder));
            assertTrue(refused.getMessage().contains("steps") && refused.getMessage().contains("77") && refused.getMessage().contains("" + steps), refused.getMessage());
        }
    }

    @Test void whatIsLeftOpenIsAsTheRunHasIt() throws Exception {
        RunInfo given = info(USUAL.with(new Recipe.Update(Recipe.OptimizerName.ADAMW, 3, 1, 0)), 3);
        assertEquals(6, info(USUAL, 6).reconciled(info(USUAL, 4), folder).training().batch(), "another default does not change a run that goes on");
        given.reconciled(info(USUAL, 3), folder);
        Failure refused = assertThrows(Failure.Incompatible.class, () -> given.reconciled(info(USUAL, 6), folder));
        assertTrue(refused.getMessage().contains("batch: the run has 3, asked for is 6"), refused.getMessage());
    }

    @Test void aRunOfTheFirstFormatStillOpens() throws Exception {
        Path file = folder.resolve("run.json");
        Files.writeString(file, """
            {"format": 1, "model": {"path": "/m", "name": "Base", "hash": "00"}, "class": "car", "token": "sks", "method": "atoms", "atoms": 9, "rank": 4,
             "steps": 30, "rate": 0.01, "seed": 4, "batch": 6, "previewEvery": 5, "pictures": [{"name": "00.png", "sha256": "%s"}],
             "captions": ["a sks car"], "numbers": 81, "created": "2026-01-01T00:00:00Z"}
            """.formatted("ab".repeat(32)));
        RunInfo info = RunInfo.read(file);
        assertEquals(new Recipe.Course(30, 0.01, 4, 20, Recipe.Decay.CONSTANT), info.training().recipe().course());
        assertEquals(6, info.training().batch());
        assertEquals(5, info.training().previewEvery());
        RunInfo sized = new RunInfo(info.base(), info.subject(), info.method(), new RunInfo.Training(info.training().recipe(), 6, 128), info.numbers(), info.created());
        sized.write(file);
        assertEquals(sized, RunInfo.read(file), "as it is kept once its size is decided");
    }

    @Test void theRateRisesAndFallsAsAHalfCosine() {
        Recipe.Course course = new Recipe.Course(110, 0.1, 0, 10, Recipe.Decay.COSINE);
        assertEquals(0.01, course.rate(0), 1e-12);
        assertEquals(0.1, course.rate(10), 1e-12);
        assertEquals(0.05, course.rate(60), 1e-12);
        assertEquals(0.1 * 0.5 * (1 + Math.cos(Math.PI * 0.99)), course.rate(109), 1e-12);
        assertEquals(0.1, new Recipe.Course(5, 0.1, 0, 0, Recipe.Decay.CONSTANT).rate(0), 0);
    }

    @Test void numbersThatCannotBeAreRefusedByTheirOption() {
        refused("ema", () -> new Recipe.Update(Recipe.OptimizerName.ADAMW, 0, 1, 1));
        refused("accumulate", () -> new Recipe.Update(Recipe.OptimizerName.ADAMW, 0, 0, 0));
        refused("min-snr", () -> new Recipe.Weighing(-1, 0, Optional.empty()));
        refused("noise-offset", () -> new Recipe.Weighing(0, 2, Optional.empty()));
        refused("prior-weight", () -> new Recipe.Prior("auto", 0));
        refused("caption-template", () -> new Recipe.Material(0, Recipe.Crop.CENTRE, "a car", 0));
        refused("warmup", () -> new Recipe.Course(1, 0.1, 0, -1, Recipe.Decay.CONSTANT));
    }

    private static void refused(String option, Runnable making) {
        assertTrue(assertThrows(IllegalArgumentException.class, making::run).getMessage().startsWith(option + ": expected"));
    }

    private static RunInfo info(Recipe recipe) {
        return info(recipe, recipe.update().batch());
    }

    private static RunInfo info(Recipe recipe, int batch) {
        return new RunInfo(new RunInfo.Base(Path.of("/m"), "Base", "00"), new RunInfo.Subject("car", "sks", List.of(), List.of("a")), MethodSettings.of(MethodSettings.MethodName.ATOMS),
                new RunInfo.Training(recipe, batch, recipe.material().size()), 81, "");
    }
}
