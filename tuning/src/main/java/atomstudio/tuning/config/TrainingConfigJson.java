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

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/// The training config in run.json: each setting under its option's name; older names are read too.
public final class TrainingConfigJson {
    private static final Set<TrainingSetting> OPTIONAL_RATES = EnumSet.of(COMBINED_LEARNING_RATE, WORD_LEARNING_RATE,
            TEXT_ENCODER_LEARNING_RATE);

    private static final BigDecimal SEED_LIMIT = new BigDecimal(BigInteger.TWO.pow(Long.SIZE));

    private final Json json;

    private TrainingConfigJson(Json json) {
        this.json = json;
    }

    /// The value of every setting, in the order of the settings: a number, a boolean or a text.
    public static Map<TrainingSetting, Object> values(TrainingConfig config) {
        Map<TrainingSetting, Object> values = new EnumMap<>(TrainingSetting.class);
        TrainingConfig.ScheduleConfig schedule = config.schedule();
        values.put(STEPS, schedule.steps());
        values.put(LEARNING_RATE, schedule.learningRate());
        values.put(COMBINED_LEARNING_RATE, numberOrEmpty(schedule.learningRates().combinedMethod()));
        values.put(WORD_LEARNING_RATE, numberOrEmpty(schedule.learningRates().triggerWord()));
        values.put(TEXT_ENCODER_LEARNING_RATE, numberOrEmpty(schedule.learningRates().textEncoder()));
        values.put(SEED, new BigInteger(Seed.format(schedule.seed())));
        values.put(WARMUP_STEPS, schedule.warmupSteps());
        values.put(LR_SCHEDULER, schedule.scheduler().option());
        values.put(OPTIMIZER, config.optimizer().name().option());
        values.put(BATCH_SIZE, config.optimizer().batchSize());
        values.put(GRADIENT_ACCUMULATION, config.optimizer().accumulationSteps());
        values.put(EMA_DECAY, config.optimizer().emaDecay());
        values.put(RESOLUTION, config.data().resolution());
        values.put(CROP, config.data().crop().option());
        values.put(CAPTION_TEMPLATE, config.data().captionTemplate());
        values.put(CACHED_NOISE_SAMPLES, config.data().cachedNoiseSamples());
        values.put(MIN_SNR_GAMMA, config.loss().minSnrGamma());
        values.put(NOISE_OFFSET, config.loss().noiseOffset());
        Optional<TrainingConfig.PriorPreservation> prior = config.loss().priorPreservation();
        values.put(CLASS_IMAGES, prior.map(TrainingConfig.PriorPreservation::source).orElse(""));
        values.put(PRIOR_LOSS_WEIGHT, prior.map(TrainingConfig.PriorPreservation::weight).orElse(0.0));
        values.put(PREVIEW_EVERY, config.runtime().previewEvery());
        values.put(PRECISION, config.runtime().precision().option());
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            values.put(TrainingSetting.of(feature), config.has(feature));
        return values;
    }

    public static JsonObject write(TrainingConfig config) {
        JsonObject json = new JsonObject();
        values(config).forEach((setting, value) -> {
            if (value.equals("") && OPTIONAL_RATES.contains(setting)) return;
            switch (value) {
                case Number number -> json.addProperty(setting.option(), number);
                case Boolean flag -> json.addProperty(setting.option(), flag);
                default -> json.addProperty(setting.option(), value.toString());
            }
        });
        return json;
    }

    /// @throws Failure.Unreadable that names the key with a missing or invalid value, or both keys of a setting that is
    ///     there twice
    /// @throws IllegalArgumentException that starts with the name of a setting out of range
    public static TrainingConfig read(Json json) throws Failure.Unreadable {
        return new TrainingConfigJson(json).config();
    }

    private TrainingConfig config() throws Failure.Unreadable {
        TrainingConfig.LearningRateConfig learningRates = new TrainingConfig.LearningRateConfig(number(LEARNING_RATE),
                optionalNumber(COMBINED_LEARNING_RATE), optionalNumber(WORD_LEARNING_RATE),
                optionalNumber(TEXT_ENCODER_LEARNING_RATE));
        TrainingConfig.ScheduleConfig schedule = new TrainingConfig.ScheduleConfig(integer(STEPS), learningRates,
                seed(), integer(WARMUP_STEPS), enumValue(LR_SCHEDULER, TrainingConfig.LearningRateScheduler.class));
        TrainingConfig.OptimizerConfig optimizer = new TrainingConfig.OptimizerConfig(
                enumValue(OPTIMIZER, TrainingConfig.OptimizerName.class), integer(BATCH_SIZE),
                integer(GRADIENT_ACCUMULATION), number(EMA_DECAY));
        TrainingConfig.DataConfig data = new TrainingConfig.DataConfig(integer(RESOLUTION),
                enumValue(CROP, TrainingConfig.CropMode.class), json.string(key(CAPTION_TEMPLATE)),
                integer(CACHED_NOISE_SAMPLES));
        Set<TrainingConfig.Feature> features = EnumSet.noneOf(TrainingConfig.Feature.class);
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            if (json.get(key(TrainingSetting.of(feature)), "true or false", Json::bool)) features.add(feature);
        return new TrainingConfig(schedule, optimizer, data, loss(),
                new TrainingConfig.RuntimeConfig(integer(PREVIEW_EVERY),
                        enumValue(PRECISION, TrainingConfig.PrecisionMode.class), features));
    }

    private TrainingConfig.LossConfig loss() throws Failure.Unreadable {
        String classImages = json.string(key(CLASS_IMAGES));
        Optional<TrainingConfig.PriorPreservation> prior = classImages.isEmpty() ? Optional.empty()
                : Optional.of(new TrainingConfig.PriorPreservation(classImages, number(PRIOR_LOSS_WEIGHT)));
        return new TrainingConfig.LossConfig(number(MIN_SNR_GAMMA), number(NOISE_OFFSET), prior);
    }

    private String key(TrainingSetting setting) throws Failure.Unreadable {
        return key(json, setting);
    }

    /// The key that an object has a setting under: the option's name or an older one.
    /// @throws Failure.Unreadable when it has several of them
    public static String key(Json json, TrainingSetting setting) throws Failure.Unreadable {
        List<String> found = setting.names().stream().filter(json::has).toList();
        if (found.size() > 1)
            throw new Failure.Unreadable(json.source() + ": " + String.join(" and ", found)
                    + " are names of the same setting; remove one of them");
        return found.isEmpty() ? setting.option() : found.getFirst();
    }

    private long seed() throws Failure.Unreadable {
        return json.get(key(SEED), Seed.RANGE, element -> {
            if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("no number");
            BigDecimal number = element.getAsBigDecimal();
            if (number.abs().compareTo(SEED_LIMIT) >= 0) throw new IllegalArgumentException("too large");
            return Seed.parse(number.toBigIntegerExact().toString()).orElseThrow();
        });
    }

    private double number(TrainingSetting setting) throws Failure.Unreadable {
        return json.number(key(setting));
    }

    private OptionalDouble optionalNumber(TrainingSetting setting) throws Failure.Unreadable {
        String key = key(setting);
        return json.has(key) ? OptionalDouble.of(json.number(key)) : OptionalDouble.empty();
    }

    private static Object numberOrEmpty(OptionalDouble number) {
        return number.isPresent() ? (Object) number.getAsDouble() : "";
    }

    /// The config's constructors check the range.
    private int integer(TrainingSetting setting) throws Failure.Unreadable {
        return json.integer(key(setting), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private <E extends Enum<E> & TrainingConfig.OptionValue> E enumValue(TrainingSetting setting, Class<E> type)
            throws Failure.Unreadable {
        String expected = "one of " + Arrays.stream(type.getEnumConstants())
                .map(TrainingConfig.OptionValue::option)
                .collect(Collectors.joining(", "));
        return json.get(key(setting), expected,
                element -> TrainingConfig.OptionValue.ofOption(type, Json.string(element)).orElseThrow());
    }
}
