package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.Setting;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TrainingSettingsTest {
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);
    static final MethodSettings COMBINED = MethodSettings.of(MethodName.ATOMS_AND_WORD)
            .with(MethodSetting.COMBINE_WITH, "lora")
            .with(MethodSetting.TRAIN_TEXT_ENCODER, Setting.YES);

    @Test
    void everySettingHasAValueAndItsOwnNames() {
        assertEquals(Set.of(TrainingSetting.values()), TrainingConfigJson.values(TrainingConfig.of(LORA)).keySet());
        Set<String> names = new HashSet<>();
        for (TrainingSetting setting : TrainingSetting.values())
            for (String name : setting.names()) {
                assertTrue(names.add(name), name);
                assertEquals(Optional.of(setting), TrainingSetting.ofOption(name));
            }
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            assertTrue(TrainingSetting.of(feature).isFlag(), feature.name());
    }

    @Test
    void defaultsEqualTheMethodsConfig() {
        for (MethodName choice : MethodName.values()) {
            TrainingConfig own = TrainingConfig.of(MethodSettings.of(choice));
            assertEquals(own, TrainingSettings.DEFAULTS.toConfig(MethodSettings.of(choice), ModelSize.SMALL));
            assertEquals(TrainingSettings.DEFAULTS,
                    TrainingSettings.of(own, MethodSettings.of(choice), ModelSize.SMALL));
        }
    }

    @Test
    void chosenSettingsRoundTripThroughTheConfig() {
        TrainingSettings settings = everyOther();
        assertEquals(TrainingSetting.values().length, settings.chosen().size());
        TrainingConfig config = settings.toConfig(COMBINED, ModelSize.SMALL);
        assertEquals(settings, TrainingSettings.of(config, COMBINED, ModelSize.SMALL));
        assertEquals(config,
                TrainingSettings.of(config, COMBINED, ModelSize.SMALL).toConfig(COMBINED, ModelSize.SMALL));
    }

    @ParameterizedTest @EnumSource
    void everySettingRoundTripsThroughConfigAndJson(TrainingSetting setting) throws Exception {
        String other = other(setting);
        TrainingConfig config = base(setting).with(setting, other).toConfig(COMBINED, ModelSize.SMALL);
        assertNotEquals(base(setting).toConfig(COMBINED, ModelSize.SMALL), config);
        String json = TrainingConfigJson.write(config).toString();
        TrainingConfig read = TrainingConfigJson.read(Json.parse("run.json", json));
        assertEquals(config, read);
        assertEquals(other, TrainingSettings.of(read, COMBINED, ModelSize.SMALL).chosen().get(setting));
    }

    /// Every setting with another value than its default.
    static TrainingSettings everyOther() {
        TrainingSettings settings = TrainingSettings.DEFAULTS;
        for (TrainingSetting setting : TrainingSetting.values()) settings = settings.with(setting, other(setting));
        return settings;
    }

    private static String other(TrainingSetting setting) {
        List<String> values = setting.allowedValues().isEmpty()
                ? List.of("64", "0.25", "up:weight-decay=0.5", "a drawing of {}")
                : setting.allowedValues();
        return values.stream().filter(value -> isOther(setting, value)).findFirst().orElseThrow();
    }

    private static boolean isOther(TrainingSetting setting, String value) {
        try {
            TrainingConfig config = base(setting).with(setting, value).toConfig(COMBINED, ModelSize.SMALL);
            return !config.values()
                    .get(setting)
                    .equals(base(setting).toConfig(COMBINED, ModelSize.SMALL).values().get(setting));
        } catch (IllegalArgumentException invalid) {
            return false;
        }
    }

    /// The defaults, with what a setting needs.
    private static TrainingSettings base(TrainingSetting setting) {
        return setting == TrainingSetting.PRIOR_LOSS_WEIGHT
                ? TrainingSettings.DEFAULTS.with(TrainingSetting.CLASS_IMAGES, "auto")
                : TrainingSettings.DEFAULTS;
    }

    @Test
    void partsTrainedTogetherHaveTheirOwnLearningRates() {
        TrainingConfig.LearningRateConfig rates = TrainingSettings.DEFAULTS.toConfig(COMBINED, ModelSize.SMALL)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(MethodName.ATOMS_AND_WORD.learningRate(),
                OptionalDouble.of(MethodName.LORA.learningRate()),
                OptionalDouble.of(MethodName.TEXTUAL_INVERSION.learningRate()),
                OptionalDouble.of(MethodName.LORA.learningRate())), rates);
        TrainingConfig.LearningRateConfig withWordRate = TrainingSettings.DEFAULTS
                .with(TrainingSetting.WORD_LEARNING_RATE, "0.25")
                .toConfig(COMBINED, ModelSize.SMALL)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(MethodName.ATOMS_AND_WORD.learningRate(),
                OptionalDouble.of(MethodName.LORA.learningRate()), OptionalDouble.of(0.25),
                OptionalDouble.of(MethodName.LORA.learningRate())), withWordRate);
        TrainingConfig.LearningRateConfig prodigy = TrainingSettings.DEFAULTS.with(TrainingSetting.OPTIMIZER, "prodigy")
                .toConfig(COMBINED, ModelSize.SMALL)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(1, OptionalDouble.of(1), OptionalDouble.of(1),
                OptionalDouble.of(1)), prodigy);
    }

    @Test
    void emptyMeansTheDefaultAndProdigyDefaultsToOne() {
        TrainingSettings settings = new TrainingSettings(
                Map.of(TrainingSetting.STEPS, " ", TrainingSetting.OPTIMIZER, "prodigy", TrainingSetting.FLIP, "no"));
        assertEquals(Set.of(TrainingSetting.OPTIMIZER), settings.chosen().keySet());
        assertEquals(1, settings.toConfig(LORA, ModelSize.SMALL).schedule().learningRate());
        assertEquals("1", settings.defaultValue(TrainingSetting.LEARNING_RATE, LORA, ModelSize.SMALL));
        assertEquals(settings, TrainingSettings.of(settings.toConfig(LORA, ModelSize.SMALL), LORA, ModelSize.SMALL));
    }

    @Test
    void noMethodHasAHigherRateOrFewerStepsOnALargeModel() {
        for (MethodName choice : MethodName.values()) {
            TrainingConfig.ScheduleConfig small = TrainingConfig.of(MethodSettings.of(choice)).schedule(),
                    large = TrainingConfig.of(MethodSettings.of(choice), ModelSize.of(859_520_964)).schedule();
            assertTrue(large.learningRate() <= small.learningRate() && large.steps() > small.steps(), choice.option());
        }
        assertEquals(ModelSize.SMALL, ModelSize.of(16_480_196));
    }

    @Test
    void loraOnALargeModelHasThePublishedRateUnlessAnotherIsChosen() {
        TrainingConfig.ScheduleConfig schedule = TrainingSettings.DEFAULTS.toConfig(LORA, ModelSize.LARGE).schedule();
        assertEquals(1e-4, schedule.learningRate());
        assertEquals(500, schedule.steps());
        assertEquals(4e-3, TrainingSettings.DEFAULTS.with(TrainingSetting.LEARNING_RATE, "4e-3")
                .toConfig(LORA, ModelSize.LARGE)
                .schedule()
                .learningRate());
        assertEquals(1, TrainingSettings.DEFAULTS.with(TrainingSetting.OPTIMIZER, "prodigy")
                .toConfig(LORA, ModelSize.LARGE)
                .schedule()
                .learningRate());
    }

    @Test
    void completedSettingsDoNotNeedTheModel() {
        for (String optimizer : List.of("adamw", "prodigy")) {
            TrainingSettings chosen = TrainingSettings.DEFAULTS.with(TrainingSetting.OPTIMIZER, optimizer)
                    .with(TrainingSetting.STEPS, "60");
            TrainingSettings completed = chosen.completedFor(COMBINED, ModelSize.LARGE);
            assertEquals(chosen.toConfig(COMBINED, ModelSize.LARGE), completed.toConfig(COMBINED, ModelSize.SMALL));
            assertEquals(completed.toConfig(COMBINED, ModelSize.SMALL), completed.toConfig(COMBINED, ModelSize.LARGE));
            assertEquals(chosen, chosen.completedFor(COMBINED, ModelSize.SMALL));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "STEPS|many|steps: expected a whole number, found many", "STEPS|0|steps: expected at least 1, found 0",
            "LEARNING_RATE|x|learning-rate: expected a number, found x",
            "BATCH_SIZE|0|batch-size: expected at least 1, found 0",
            "MIN_SNR_GAMMA|0|min-snr-gamma: expected a number above 0, usually 5, found 0",
            "CROP|left|crop: expected one of centre, random, whole, found \"left\"",
            "FLIP|maybe|flip: expected yes or no, found maybe",
            "PRIOR_LOSS_WEIGHT|2|prior-loss-weight: expected “Class images” with it, found none",
            "COMBINED_LEARNING_RATE|0.1|combined-learning-rate: expected “Combine with” METHOD (a word has "
                    + "“Trigger word LR”) with it, found none",
            "WORD_LEARNING_RATE|0.1|word-learning-rate: expected the method atoms+word or “Combine with” "
                    + "textual-inversion with it, found none",
            "TEXT_ENCODER_LEARNING_RATE|0.1|text-encoder-learning-rate: expected “Train text encoder (LoRA)” with it, "
                    + "found none"})
    void rejectsInvalidValuesByName(TrainingSetting setting, String value, String message) {
        IllegalArgumentException rejected = assertThrows(IllegalArgumentException.class,
                () -> TrainingSettings.DEFAULTS.with(setting, value).toConfig(LORA, ModelSize.SMALL));
        assertEquals(message, rejected.getMessage());
    }
}
