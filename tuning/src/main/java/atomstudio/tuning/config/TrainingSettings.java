package atomstudio.tuning.config;

import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.config.TrainingConfig.Feature;
import atomstudio.tuning.method.MethodSettings;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;

/// Training settings as a person asks for them, by name and as text; what is not asked for is the method's default.
/// Refuses what cannot be understood by the setting's name; the command line and the window say the same of it.
public record TrainingSettings(Map<TrainingSetting, String> chosen) {
    public static final TrainingSettings DEFAULTS = new TrainingSettings(Map.of());

    public TrainingSettings {
        Map<TrainingSetting, String> values = new EnumMap<>(TrainingSetting.class);
        values.putAll(chosen);
        values.values().removeIf(String::isBlank);
        values.entrySet().removeIf(entry -> entry.getKey().isFlag() && entry.getValue().equals(TrainingSetting.NO));
        chosen = Collections.unmodifiableMap(values);
    }

    /// What differs from a method's defaults in a recipe.
    public static TrainingSettings of(TrainingConfig config, MethodSettings method) {
        Map<String, Object> values = TrainingConfigJson.settings(config);
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) {
            String value = text(setting, values);
            if (!value.equals(defaultValue(setting, method, config.optimizer().name()))) changed.put(setting, value);
        }
        return new TrainingSettings(changed);
    }

    /// With one thing chosen otherwise; empty: as the method has it.
    public TrainingSettings with(TrainingSetting setting, String value) {
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        changed.putAll(chosen);
        changed.put(setting, value);
        return new TrainingSettings(changed);
    }

    /// What a setting is where nobody asks for another; empty where the model or the run decides.
    public String defaultValue(TrainingSetting setting, MethodSettings method) {
        Optional<TrainingConfig.OptimizerName> chosenOptimizer = TrainingConfig.OptionValue
                .ofOption(TrainingConfig.OptimizerName.class, chosen.getOrDefault(TrainingSetting.OPTIMIZER, ""));
        return defaultValue(setting, method, chosenOptimizer.orElse(TrainingConfig.OptimizerName.ADAMW));
    }

    private static String defaultValue(TrainingSetting setting, MethodSettings method,
            TrainingConfig.OptimizerName optimizer) {
        return switch (setting) {
            case RATE -> format(TrainingConfig.learningRate(optimizer,
                    TrainingConfig.of(method).schedule().learningRates().method()));
            case ALSO_RATE -> format(optimizer, TrainingConfig.of(method).schedule().learningRates().combinedMethod());
            case WORD_RATE -> format(optimizer, TrainingConfig.of(method).schedule().learningRates().triggerWord());
            case TEXT_ENCODER_RATE ->
                    format(optimizer, TrainingConfig.of(method).schedule().learningRates().textEncoder());
            case PRIOR_WEIGHT -> "1";
            case STEPS, SEED, WARMUP, DECAY, OPTIMIZER, BATCH, ACCUMULATE, EMA, SIZE, CROP, FLIP, CAPTIONS,
                    CAPTION_TEMPLATE, MASKS, BANK, MIN_SNR, NOISE_OFFSET, PRIOR, PREVIEW_EVERY, VALIDATE, STOP_EARLY,
                    PRECISION,
                    CHECKPOINTING -> text(setting, TrainingConfigJson.settings(TrainingConfig.of(method)));
        };
    }

    private static String text(TrainingSetting setting, Map<String, Object> values) {
        Object value = values.get(setting.option());
        return switch (setting) {
            case BATCH, SIZE, MIN_SNR -> ((Number) value).doubleValue() == 0 ? "" : format((Number) value);
            case PRIOR_WEIGHT -> ((Number) value).doubleValue() == 0 ? "1" : format((Number) value);
            case FLIP, CAPTIONS, MASKS, VALIDATE, STOP_EARLY, CHECKPOINTING ->
                    Boolean.TRUE.equals(value) ? TrainingSetting.YES : TrainingSetting.NO;
            case STEPS, RATE, ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE, SEED, WARMUP, DECAY, OPTIMIZER, ACCUMULATE, EMA,
                    CROP, CAPTION_TEMPLATE, BANK, NOISE_OFFSET, PRIOR, PREVIEW_EVERY, PRECISION ->
                    value instanceof Number number ? format(number) : value.toString();
        };
    }

    private static String format(TrainingConfig.OptimizerName optimizer, OptionalDouble rate) {
        return rate.isPresent() ? format(TrainingConfig.learningRate(optimizer, rate.getAsDouble())) : "";
    }

    private static String format(Number number) {
        return new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
    }

    /// @throws IllegalArgumentException that begins with the name of the setting which cannot be as asked
    public TrainingConfig toConfig(MethodSettings method) {
        if (chosen.containsKey(TrainingSetting.PRIOR_WEIGHT) && !chosen.containsKey(TrainingSetting.PRIOR)) {
            throw new IllegalArgumentException("prior-weight: expected --prior beside it, found none");
        }
        TrainingConfig defaults = TrainingConfig.of(method);
        TrainingConfig.LearningRateConfig defaultRates = defaults.schedule().learningRates();
        requireTrained(TrainingSetting.ALSO_RATE, defaultRates.combinedMethod(),
                "--also METHOD beside it (a word has --word-rate)");
        requireTrained(TrainingSetting.WORD_RATE, defaultRates.triggerWord(),
                "--method atoms+word or --also textual-inversion beside it");
        requireTrained(TrainingSetting.TEXT_ENCODER_RATE, defaultRates.textEncoder(), "--text-encoder beside it");
        TrainingConfig.OptimizerName optimizer = enumValue(TrainingSetting.OPTIMIZER,
                TrainingConfig.OptimizerName.class, defaults.optimizer().name());
        TrainingConfig.LearningRateConfig rates = new TrainingConfig.LearningRateConfig(
                number(TrainingSetting.RATE, TrainingConfig.learningRate(optimizer, defaultRates.method())),
                optionalRate(TrainingSetting.ALSO_RATE, optimizer, defaultRates.combinedMethod()),
                optionalRate(TrainingSetting.WORD_RATE, optimizer, defaultRates.triggerWord()),
                optionalRate(TrainingSetting.TEXT_ENCODER_RATE, optimizer, defaultRates.textEncoder()));
        TrainingConfig.ScheduleConfig schedule = new TrainingConfig.ScheduleConfig(
                integer(TrainingSetting.STEPS, defaults.schedule().steps()), rates,
                parsed(TrainingSetting.SEED, Seed.RANGE,
                        text -> Seed.parse(text).orElseThrow(NumberFormatException::new))
                        .orElse(defaults.schedule().seed()),
                integer(TrainingSetting.WARMUP, defaults.schedule().warmupSteps()),
                enumValue(TrainingSetting.DECAY, TrainingConfig.LearningRateDecay.class, defaults.schedule().decay()));
        TrainingConfig.OptimizerConfig optimizerConfig = new TrainingConfig.OptimizerConfig(optimizer,
                positiveOrUnset(TrainingSetting.BATCH),
                integer(TrainingSetting.ACCUMULATE, defaults.optimizer().accumulationSteps()),
                number(TrainingSetting.EMA, defaults.optimizer().emaDecay()));
        TrainingConfig.DataConfig data = new TrainingConfig.DataConfig(positiveOrUnset(TrainingSetting.SIZE),
                enumValue(TrainingSetting.CROP, TrainingConfig.CropMode.class, defaults.data().crop()),
                chosen.getOrDefault(TrainingSetting.CAPTION_TEMPLATE, ""), integer(TrainingSetting.BANK, 0));
        return new TrainingConfig(schedule, optimizerConfig, data, lossConfig(),
                new TrainingConfig.RuntimeConfig(
                        integer(TrainingSetting.PREVIEW_EVERY, defaults.runtime().previewEvery()),
                        enumValue(TrainingSetting.PRECISION, TrainingConfig.PrecisionMode.class,
                                defaults.runtime().precision()),
                        features()));
    }

    private TrainingConfig.LossConfig lossConfig() {
        double minSnr = number(TrainingSetting.MIN_SNR, 0);
        if (minSnr == 0 && chosen.containsKey(TrainingSetting.MIN_SNR))
            throw new IllegalArgumentException("min-snr: expected a number above 0, usually 5, found 0");
        Optional<TrainingConfig.PriorPreservation> prior = Optional.ofNullable(chosen.get(TrainingSetting.PRIOR))
                .map(source -> new TrainingConfig.PriorPreservation(source.strip(),
                        number(TrainingSetting.PRIOR_WEIGHT, 1)));
        return new TrainingConfig.LossConfig(minSnr, number(TrainingSetting.NOISE_OFFSET, 0), prior);
    }

    private EnumSet<Feature> features() {
        EnumSet<Feature> features = EnumSet.noneOf(Feature.class);
        for (Feature feature : Feature.values()) {
            TrainingSetting setting = TrainingSetting.valueOf(feature.name());
            String value = chosen.getOrDefault(setting, TrainingSetting.NO);
            if (!setting.allowedValues().contains(value))
                throw new IllegalArgumentException(setting.option() + ": expected " + TrainingSetting.YES + " or "
                        + TrainingSetting.NO + ", found " + value);
            if (value.equals(TrainingSetting.YES)) features.add(feature);
        }
        return features;
    }

    /// At least 1 where it is given at all.
    private int positiveOrUnset(TrainingSetting setting) {
        int number = integer(setting, TrainingConfig.UNSET);
        if (chosen.containsKey(setting) && number < 1)
            throw new IllegalArgumentException(setting.option() + ": expected at least 1, found " + number);
        return number;
    }

    private int integer(TrainingSetting setting, int defaultValue) {
        return parsed(setting, "a whole number", Integer::valueOf).orElse(defaultValue);
    }

    private double number(TrainingSetting setting, double defaultValue) {
        return parsed(setting, "a number", Double::valueOf).orElse(defaultValue);
    }

    private void requireTrained(TrainingSetting setting, OptionalDouble defaultRate, String expected) {
        if (chosen.containsKey(setting) && defaultRate.isEmpty())
            throw new IllegalArgumentException(setting.option() + ": expected " + expected + ", found none");
    }

    private OptionalDouble optionalRate(TrainingSetting setting, TrainingConfig.OptimizerName optimizer,
            OptionalDouble defaultRate) {
        return defaultRate.isEmpty() ? defaultRate
                : OptionalDouble.of(number(setting, TrainingConfig.learningRate(optimizer, defaultRate.getAsDouble())));
    }

    private <T> Optional<T> parsed(TrainingSetting setting, String expected, Function<String, T> parse) {
        String text = chosen.get(setting);
        if (text == null) return Optional.empty();
        try {
            return Optional.of(parse.apply(text.strip()));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(setting.option() + ": expected " + expected + ", found " + text, e);
        }
    }

    private <E extends Enum<E> & TrainingConfig.OptionValue> E enumValue(TrainingSetting setting, Class<E> type,
            E defaultValue) {
        String text = chosen.get(setting);
        if (text == null) return defaultValue;
        return TrainingConfig.OptionValue.ofOption(type, text.strip())
                .orElseThrow(() -> new IllegalArgumentException(setting.option() + ": expected one of "
                        + String.join(", ", setting.allowedValues()) + ", found \"" + text + "\""));
    }
}
