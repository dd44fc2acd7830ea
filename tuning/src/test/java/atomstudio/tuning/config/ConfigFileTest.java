package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);

    @TempDir
    private Path folder;

    @Test
    void everyMethodsDefaultsRoundTrip() throws Exception {
        for (MethodName name : MethodName.values()) {
            MethodSettings method = MethodSettings.of(name);
            assertRoundTrip(method, TrainingConfig.of(method));
        }
    }

    @Test
    void everySettingRoundTrips() throws Exception {
        MethodSettings method = TrainingSettingsTest.COMBINED.with(MethodSetting.RANK, "6")
                .with(MethodSetting.ALPHA, "0.5")
                .with(MethodSetting.CODING, "sparse")
                .with(MethodSetting.LAYERS, "conv3x3,up_blocks.*");
        TrainingConfig config = TrainingSettingsTest.everyOther()
                .with(TrainingSetting.CAPTION_TEMPLATE, "a \"photo\" of {} \\ # é\t")
                .with(TrainingSetting.LEARNING_RATE, "0.1234567890123456789")
                .with(TrainingSetting.SEED, "18446744073709551615")
                .toConfig(method, ModelSize.SMALL);
        assertRoundTrip(method, config);
        MethodSettings oft = MethodSettings.of(MethodName.OFT);
        for (String block : List.of("8", "1/2"))
            assertRoundTrip(oft.with(MethodSetting.BLOCK_SIZE, block), TrainingConfig.of(oft));
    }

    private void assertRoundTrip(MethodSettings method, TrainingConfig config) throws Exception {
        ConfigFile read = read(ConfigFile.text(method, config, Optional.of(new Trigger("sks", "toy \"car\""))));
        assertEquals(Map.of(ConfigFile.Input.TRIGGER_WORD, "sks", ConfigFile.Input.CLASS, "toy \"car\""),
                read.inputs());
        MethodSettings readMethod = read.settings().methodSettings(read.settings().method().orElseThrow());
        assertEquals(method, readMethod);
        assertEquals(config,
                read.settings().trainingSettings(readMethod, ModelSize.SMALL).toConfig(readMethod, ModelSize.SMALL));
    }

    @Test
    void groupsAreTablesOrText() throws Exception {
        ConfigFile tables = read("""
                method = "lora"
                [[group]]
                layers = "up_blocks.*"
                learning-rate = 1e-4
                rank = 8
                [[group]]
                layers = "text_encoder"
                weight-decay = 0.1
                """);
        assertEquals(read("method = 'lora'\ngroup = 'up_blocks.*:learning-rate=1e-4,rank=8;text_encoder:weight-decay"
                + "=0.1'\n"), tables);
        assertEquals("up_blocks.*=8", tables.settings().values().get(MethodSetting.RANK_PATTERN));
        MethodSettings method = LORA.with(MethodSetting.RANK_PATTERN, "up_blocks.*=8");
        assertRoundTrip(method,
                tables.settings().trainingSettings(method, ModelSize.SMALL).toConfig(method, ModelSize.SMALL));
    }

    @Test
    void aPartWithoutARateKeepsTheMethodsRate() throws Exception {
        TrainingConfig old = TrainingConfig.of(TrainingSettingsTest.COMBINED)
                .with(Map.of(TrainingSetting.WORD_LEARNING_RATE, OptionalDouble.empty(), TrainingSetting.LEARNING_RATE,
                        0.02));
        ConfigFile read = read(ConfigFile.text(TrainingSettingsTest.COMBINED, old, Optional.empty()));
        assertEquals("0.02", read.settings().values().get(TrainingSetting.WORD_LEARNING_RATE));
    }

    @Test
    void olderNamesAreReadAndOptionsWin() throws Exception {
        ConfigFile file = read("method = 'lora'\nrate = 1e-3\nflip = true\nvalidate = false\npreset = 'thorough'\n");
        ChosenSettings given = new ChosenSettings(Optional.empty(), Optional.empty(),
                Map.of(TrainingSetting.LEARNING_RATE, "2e-3", TrainingSetting.EARLY_STOPPING, "no"));
        ChosenSettings all = given.over(file.settings());
        TrainingConfig config = all.trainingSettings(LORA, ModelSize.SMALL).toConfig(LORA, ModelSize.SMALL);
        assertEquals(2e-3, config.schedule().learningRate());
        assertEquals(2 * MethodName.LORA.steps(), config.schedule().steps());
        assertTrue(config.has(TrainingConfig.Feature.FLIP));
        assertEquals(List.of(), List.of(TrainingConfig.Feature.VALIDATE, TrainingConfig.Feature.EARLY_STOPPING)
                .stream()
                .filter(config::has)
                .toList());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "learning-rat = 1e-3 | line 2: learning-rat: expected the name of a setting such as learning-rate,",
            "steps = 'many' | line 2: steps: expected a whole number",
            "steps = 1.5 | line 2: steps: expected a whole number",
            "steps = 0 | line 2: steps: expected at least 1, found 0",
            "batch-size = 0 | line 2: batch-size: expected at least 1, found 0",
            "flip = 'yes' | line 2: flip: expected true or false",
            "crop = 'left' | line 2: crop: expected one of centre, random, whole",
            "method = 'lore' | line 2: method: expected one of atoms",
            "preset = 'fast' | line 2: preset: expected one of quick, balanced, thorough",
            "rank = '8' | line 2: rank: expected a whole number", "alpha = 0 | line 2: alpha: expected a number above",
            "train-text-encoder = 1 | line 2: train-text-encoder: expected true or false",
            "photos = 3 | line 2: photos: expected a string", "group = 'up:rate=1' | line 2: group: expected LAYERS:",
            "[[group]] | line 2: group: expected LAYERS:",
            "seed = true | line 2: seed: expected a whole number",
            "steps = | line 2: ", "[settings] | line 2: settings: expected the name of a setting",
            "steps = 2026-01-01 | line 2: steps: expected a whole number"})
    void wrongInputIsNamedWithItsLine(String line, String message) {
        Failure failure = assertThrows(Failure.Unreadable.class, () -> read("# comment\n" + line + "\n"));
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    @Test
    void twoNamesOfOneSettingAreAnError() {
        Failure failure = assertThrows(Failure.Unreadable.class, () -> read("ema = 0.9\nema-decay = 0.8\n"));
        assertTrue(failure.getMessage().contains("ema and ema-decay are names of the same setting"),
                failure.getMessage());
    }

    @Test
    void presetsAreValidForEveryMethodAndDiffer() {
        for (MethodName name : MethodName.values()) {
            MethodSettings method = MethodSettings.of(name);
            List<TrainingConfig> configs = List.of(Preset.values())
                    .stream()
                    .map(preset -> new TrainingSettings(preset.values(method, ModelSize.SMALL)).toConfig(method,
                            ModelSize.SMALL))
                    .toList();
            assertEquals(configs.size(), configs.stream().distinct().count());
            assertEquals(name.steps(), configs.get(Preset.BALANCED.ordinal()).schedule().steps());
        }
        assertTrue(Preset.descriptions().startsWith("quick: half the method's steps, “Warm-up steps” 10; balanced: "),
                Preset.descriptions());
    }

    private ConfigFile read(String toml) throws Exception {
        return ConfigFile.read(Files.writeString(folder.resolve("run.toml"), toml));
    }
}
