package atomstudio.tuning.config;

import static atomstudio.tuning.config.TrainingSetting.BATCH_SIZE;
import static atomstudio.tuning.config.TrainingSetting.CACHED_NOISE_SAMPLES;
import static atomstudio.tuning.config.TrainingSetting.CAPTION_TEMPLATE;
import static atomstudio.tuning.config.TrainingSetting.CLASS_IMAGES;
import static atomstudio.tuning.config.TrainingSetting.COMBINED_LEARNING_RATE;
import static atomstudio.tuning.config.TrainingSetting.CROP;
import static atomstudio.tuning.config.TrainingSetting.EMA_DECAY;
import static atomstudio.tuning.config.TrainingSetting.GRADIENT_ACCUMULATION;
import static atomstudio.tuning.config.TrainingSetting.LEARNING_RATE;
import static atomstudio.tuning.config.TrainingSetting.LR_SCHEDULER;
import static atomstudio.tuning.config.TrainingSetting.MIN_SNR_GAMMA;
import static atomstudio.tuning.config.TrainingSetting.NO;
import static atomstudio.tuning.config.TrainingSetting.NOISE_OFFSET;
import static atomstudio.tuning.config.TrainingSetting.OPTIMIZER;
import static atomstudio.tuning.config.TrainingSetting.PRECISION;
import static atomstudio.tuning.config.TrainingSetting.PREVIEW_EVERY;
import static atomstudio.tuning.config.TrainingSetting.PRIOR_LOSS_WEIGHT;
import static atomstudio.tuning.config.TrainingSetting.RESOLUTION;
import static atomstudio.tuning.config.TrainingSetting.SEED;
import static atomstudio.tuning.config.TrainingSetting.STEPS;
import static atomstudio.tuning.config.TrainingSetting.TEXT_ENCODER_LEARNING_RATE;
import static atomstudio.tuning.config.TrainingSetting.WARMUP_STEPS;
import static atomstudio.tuning.config.TrainingSetting.WORD_LEARNING_RATE;
import static atomstudio.tuning.config.TrainingSetting.YES;

import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.method.MethodSettings;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;

/// The training settings that a user chose, as text; the others are the method's defaults. An invalid value is
/// rejected with a message that starts with the setting's name, the same for command line and window.
public record TrainingSettings(Map<TrainingSetting, String> chosen) {
    public static final TrainingSettings DEFAULTS = new TrainingSettings(Map.of());

    public TrainingSettings {
        Map<TrainingSetting, String> values = new EnumMap<>(TrainingSetting.class);
        values.putAll(chosen);
        values.values().removeIf(String::isBlank);
        values.entrySet().removeIf(entry -> entry.getKey().isFlag() && entry.getValue().equals(NO));
        chosen = Collections.unmodifiableMap(values);
    }

    /// The settings of a config that differ from a method's defaults.
    public static TrainingSettings of(TrainingConfig config, MethodSettings method) {
        Map<TrainingSetting, Object> values = TrainingConfigJson.values(config);
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) {
            String value = text(setting, values.get(setting));
            if (!value.equals(defaultValue(setting, method, config.optimizer().name()))) changed.put(setting, value);
        }
        return new TrainingSettings(changed);
    }

    /// With another value of a setting; empty: the default.
    public TrainingSettings with(TrainingSetting setting, String value) {
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        changed.putAll(chosen);
        changed.put(setting, value);
        return new TrainingSettings(changed);
    }

    /// The value of a setting that is not chosen; empty where the model or the run decides.
    public String defaultValue(TrainingSetting setting, MethodSettings method) {
        Optional<TrainingConfig.OptimizerName> chosenOptimizer = TrainingConfig.OptionValue
                .ofOption(TrainingConfig.OptimizerName.class, chosen.getOrDefault(OPTIMIZER, ""));
        return defaultValue(setting, method, chosenOptimizer.orElse(TrainingConfig.OptimizerName.ADAMW));
    }

    private static String defaultValue(TrainingSetting setting, MethodSettings method,
            TrainingConfig.OptimizerName optimizer) {
        return text(setting, TrainingConfigJson.values(defaults(method, optimizer)).get(setting));
    }

    /// A method's defaults with the learning rates that suit an optimizer.
    private static TrainingConfig defaults(MethodSettings method, TrainingConfig.OptimizerName optimizer) {
        TrainingConfig defaults = TrainingConfig.of(method);
        TrainingConfig.ScheduleConfig schedule = defaults.schedule();
        TrainingConfig.LearningRateConfig rates = schedule.learningRates();
        return defaults.with(new TrainingConfig.ScheduleConfig(schedule.steps(),
                new TrainingConfig.LearningRateConfig(TrainingConfig.learningRate(optimizer, rates.method()),
                        learningRate(optimizer, rates.combinedMethod()), learningRate(optimizer, rates.triggerWord()),
                        learningRate(optimizer, rates.textEncoder())),
                schedule.seed(), schedule.warmupSteps(), schedule.scheduler()));
    }

    private static OptionalDouble learningRate(TrainingConfig.OptimizerName optimizer, OptionalDouble methodRate) {
        return methodRate.isEmpty() ? methodRate
                : OptionalDouble.of(TrainingConfig.learningRate(optimizer, methodRate.getAsDouble()));
    }

    private static String text(TrainingSetting setting, Object value) {
        return switch (value) {
            case Boolean flag -> flag ? YES : NO;
            case Number number when number.doubleValue() == 0 -> zeroText(setting);
            case Number number -> format(number);
            default -> value.toString();
        };
    }

    /// Where 0 stands for a setting that is left open.
    private static String zeroText(TrainingSetting setting) {
        return switch (setting) {
            case BATCH_SIZE, RESOLUTION, MIN_SNR_GAMMA -> "";
            case PRIOR_LOSS_WEIGHT -> "1";
            default -> "0";
        };
    }

    private static String format(Number number) {
        return new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
    }

    /// @throws IllegalArgumentException that starts with the name of the invalid setting
    public TrainingConfig toConfig(MethodSettings method) {
        TrainingConfig.OptimizerName optimizer = enumValue(OPTIMIZER, TrainingConfig.OptimizerName.class,
                TrainingConfig.OptimizerName.ADAMW);
        TrainingConfig defaults = defaults(method, optimizer);
        TrainingConfig.ScheduleConfig schedule = new TrainingConfig.ScheduleConfig(
                integer(STEPS, defaults.schedule().steps()), learningRates(defaults.schedule().learningRates()),
                parsed(SEED, Seed.RANGE, text -> Seed.parse(text).orElseThrow(NumberFormatException::new))
                        .orElse(defaults.schedule().seed()),
                integer(WARMUP_STEPS, defaults.schedule().warmupSteps()),
                enumValue(LR_SCHEDULER, TrainingConfig.LearningRateScheduler.class, defaults.schedule().scheduler()));
        TrainingConfig.OptimizerConfig optimizerConfig = new TrainingConfig.OptimizerConfig(optimizer,
                positiveOrUnset(BATCH_SIZE),
                integer(GRADIENT_ACCUMULATION, defaults.optimizer().accumulationSteps()),
                number(EMA_DECAY, defaults.optimizer().emaDecay()));
        TrainingConfig.DataConfig data = new TrainingConfig.DataConfig(positiveOrUnset(RESOLUTION),
                enumValue(CROP, TrainingConfig.CropMode.class, defaults.data().crop()),
                chosen.getOrDefault(CAPTION_TEMPLATE, ""), integer(CACHED_NOISE_SAMPLES, 0));
        return new TrainingConfig(schedule, optimizerConfig, data, lossConfig(),
                new TrainingConfig.RuntimeConfig(
                        integer(PREVIEW_EVERY, defaults.runtime().previewEvery()),
                        enumValue(PRECISION, TrainingConfig.PrecisionMode.class, defaults.runtime().precision()),
                        features()));
    }

    private TrainingConfig.LearningRateConfig learningRates(TrainingConfig.LearningRateConfig defaults) {
        return new TrainingConfig.LearningRateConfig(number(LEARNING_RATE, defaults.method()),
                optionalRate(COMBINED_LEARNING_RATE, defaults.combinedMethod(),
                        "--combine-with METHOD (a word has --word-learning-rate)"),
                optionalRate(WORD_LEARNING_RATE, defaults.triggerWord(),
                        "--method atoms+word or --combine-with textual-inversion"),
                optionalRate(TEXT_ENCODER_LEARNING_RATE, defaults.textEncoder(), "--train-text-encoder"));
    }

    private TrainingConfig.LossConfig lossConfig() {
        if (chosen.containsKey(PRIOR_LOSS_WEIGHT) && !chosen.containsKey(CLASS_IMAGES))
            throw new IllegalArgumentException(
                    PRIOR_LOSS_WEIGHT.option() + ": expected --" + CLASS_IMAGES.option() + " with it, found none");
        double minSnrGamma = number(MIN_SNR_GAMMA, 0);
        if (minSnrGamma == 0 && chosen.containsKey(MIN_SNR_GAMMA))
            throw new IllegalArgumentException(
                    MIN_SNR_GAMMA.option() + ": expected a number above 0, usually 5, found 0");
        Optional<TrainingConfig.PriorPreservation> priorPreservation = Optional.ofNullable(chosen.get(CLASS_IMAGES))
                .map(source -> new TrainingConfig.PriorPreservation(source.strip(),
                        number(PRIOR_LOSS_WEIGHT, 1)));
        return new TrainingConfig.LossConfig(minSnrGamma, number(NOISE_OFFSET, 0), priorPreservation);
    }

    private Set<TrainingConfig.Feature> features() {
        Set<TrainingConfig.Feature> features = EnumSet.noneOf(TrainingConfig.Feature.class);
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values()) {
            TrainingSetting setting = TrainingSetting.of(feature);
            String value = chosen.getOrDefault(setting, NO);
            if (!setting.allowedValues().contains(value))
                throw new IllegalArgumentException(setting.option() + ": expected " + YES + " or "
                        + NO + ", found " + value);
            if (value.equals(YES)) features.add(feature);
        }
        return features;
    }

    /// At least 1 if given.
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

    /// @param required the options without which nothing has this rate
    private OptionalDouble optionalRate(TrainingSetting setting, OptionalDouble defaultRate, String required) {
        if (defaultRate.isPresent()) return OptionalDouble.of(number(setting, defaultRate.getAsDouble()));
        if (!chosen.containsKey(setting)) return defaultRate;
        throw new IllegalArgumentException(setting.option() + ": expected " + required + " with it, found none");
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
