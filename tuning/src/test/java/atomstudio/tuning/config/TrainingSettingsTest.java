package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingSettingsTest {
    private static final MethodSettings LORA = MethodSettings.of(MethodName.LORA);
    private static final MethodSettings TOGETHER = MethodSettings.of(MethodName.ATOMS_AND_WORD)
            .with(MethodSetting.ALSO, "lora")
            .with(MethodSetting.TEXT_ENCODER, MethodSetting.YES);

    @Test
    void theFamilyNamesWhatRunJsonHolds() {
        Set<String> names = Stream.of(TrainingSetting.values())
                .map(TrainingSetting::option)
                .collect(Collectors.toSet());
        assertEquals(TrainingConfigJson.settings(TrainingConfig.of(LORA)).keySet(), names);
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            assertTrue(TrainingSetting.valueOf(feature.name()).isFlag(), feature.name());
    }

    @Test
    void nothingChosenIsTheMethodsOwnRecipe() {
        for (MethodName choice : MethodName.values()) {
            TrainingConfig own = TrainingConfig.of(MethodSettings.of(choice));
            assertEquals(own, TrainingSettings.DEFAULTS.toConfig(MethodSettings.of(choice)));
            assertEquals(TrainingSettings.DEFAULTS, TrainingSettings.of(own, MethodSettings.of(choice)));
        }
    }

    @Test
    void everythingChosenReadsBackFromItsRecipe() {
        TrainingSettings asked = TrainingSettings.DEFAULTS;
        for (TrainingSetting setting : TrainingSetting.values()) asked = asked.with(setting, other(setting));
        assertEquals(TrainingSetting.values().length, asked.chosen().size());
        TrainingConfig recipe = asked.toConfig(TOGETHER);
        assertEquals(asked, TrainingSettings.of(recipe, TOGETHER));
        assertEquals(recipe, TrainingSettings.of(recipe, TOGETHER).toConfig(TOGETHER));
    }

    private static String other(TrainingSetting setting) {
        return switch (setting) {
            case CAPTION_TEMPLATE -> "a drawing of {}";
            case PRIOR -> "auto";
            case DECAY, OPTIMIZER, CROP, FLIP, CAPTIONS, MASKS, VALIDATE, STOP_EARLY, PRECISION, CHECKPOINTING ->
                    otherName(setting);
            case RATE, ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE, EMA, NOISE_OFFSET -> "0.25";
            case STEPS, SEED, WARMUP, BATCH, ACCUMULATE, SIZE, BANK, MIN_SNR, PRIOR_WEIGHT, PREVIEW_EVERY -> "64";
        };
    }

    private static String otherName(TrainingSetting setting) {
        return setting.allowedValues()
                .stream()
                .filter(name -> !name.equals(TrainingSettings.DEFAULTS.defaultValue(setting, LORA)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whatIsTrainedTogetherHasTheLearningRatesOfItsOwnMethods() {
        TrainingConfig.LearningRateConfig rates = TrainingSettings.DEFAULTS.toConfig(TOGETHER)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(MethodName.ATOMS_AND_WORD.learningRate(),
                OptionalDouble.of(MethodName.LORA.learningRate()),
                OptionalDouble.of(MethodName.TEXTUAL_INVERSION.learningRate()),
                OptionalDouble.of(MethodName.LORA.learningRate())), rates);
        TrainingConfig.LearningRateConfig slow = TrainingSettings.DEFAULTS.with(TrainingSetting.WORD_RATE, "0.25")
                .toConfig(TOGETHER)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(MethodName.ATOMS_AND_WORD.learningRate(),
                OptionalDouble.of(MethodName.LORA.learningRate()), OptionalDouble.of(0.25),
                OptionalDouble.of(MethodName.LORA.learningRate())), slow);
        TrainingConfig.LearningRateConfig prodigy = TrainingSettings.DEFAULTS.with(TrainingSetting.OPTIMIZER, "prodigy")
                .toConfig(TOGETHER)
                .schedule()
                .learningRates();
        assertEquals(new TrainingConfig.LearningRateConfig(1, OptionalDouble.of(1), OptionalDouble.of(1),
                OptionalDouble.of(1)), prodigy);
    }

    @Test
    void emptyMeansTheDefaultAndProdigyHasItsOwnRate() {
        TrainingSettings asked = new TrainingSettings(
                Map.of(TrainingSetting.STEPS, " ", TrainingSetting.OPTIMIZER, "prodigy", TrainingSetting.FLIP, "no"));
        assertEquals(Set.of(TrainingSetting.OPTIMIZER), asked.chosen().keySet());
        assertEquals(1, asked.toConfig(LORA).schedule().learningRate());
        assertEquals("1", asked.defaultValue(TrainingSetting.RATE, LORA));
        assertEquals(asked, TrainingSettings.of(asked.toConfig(LORA), LORA));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "STEPS|many|steps: expected a whole number, found many", "STEPS|0|steps: expected at least 1, found 0",
            "RATE|x|rate: expected a number, found x",
            "BATCH|0|batch: expected at least 1, found 0",
            "MIN_SNR|0|min-snr: expected a number above 0, usually 5, found 0",
            "CROP|left|crop: expected one of centre, random, whole, found \"left\"",
            "FLIP|maybe|flip: expected yes or no, found maybe",
            "PRIOR_WEIGHT|2|prior-weight: expected --prior beside it, found none",
            "ALSO_RATE|0.1|also-rate: expected --also METHOD beside it (a word has --word-rate), found none",
            "WORD_RATE|0.1|word-rate: expected --method atoms+word or --also textual-inversion beside it, found none",
            "TEXT_ENCODER_RATE|0.1|text-encoder-rate: expected --text-encoder beside it, found none"})
    void whatCannotBeIsRefusedByName(TrainingSetting setting, String value, String message) {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> TrainingSettings.DEFAULTS.with(setting, value).toConfig(LORA));
        assertEquals(message, refused.getMessage());
        assertTrue(List.of(TrainingSetting.values()).contains(setting));
    }
}
