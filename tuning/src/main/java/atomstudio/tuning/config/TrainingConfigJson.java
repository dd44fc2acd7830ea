package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import com.google.gson.JsonObject;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/// A recipe in run.json: every setting by the name of its option. A part without a learning rate of its own has none.
public final class TrainingConfigJson {
    private static final String ALSO_RATE = "also-rate";
    private static final String WORD_RATE = "word-rate";
    private static final String TEXT_ENCODER_RATE = "text-encoder-rate";

    private static final Set<String> OPTIONAL_RATES = Set.of(ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE);

    private static final BigDecimal SEED_LIMIT = new BigDecimal(BigInteger.TWO.pow(Long.SIZE));

    private TrainingConfigJson() {}

    /// The settings by their options' names, in the order of the options' help.
    public static Map<String, Object> settings(TrainingConfig config) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("steps", config.schedule().steps());
        settings.put("rate", config.schedule().learningRate());
        settings.put(ALSO_RATE, textOrEmpty(config.schedule().learningRates().combinedMethod()));
        settings.put(WORD_RATE, textOrEmpty(config.schedule().learningRates().triggerWord()));
        settings.put(TEXT_ENCODER_RATE, textOrEmpty(config.schedule().learningRates().textEncoder()));
        settings.put("seed", new BigInteger(Seed.format(config.schedule().seed())));
        settings.put("warmup", config.schedule().warmupSteps());
        settings.put("decay", config.schedule().decay().option());
        settings.put("optimizer", config.optimizer().name().option());
        settings.put("batch", config.optimizer().batchSize());
        settings.put("accumulate", config.optimizer().accumulationSteps());
        settings.put("ema", config.optimizer().emaDecay());
        settings.put("size", config.data().size());
        settings.put("crop", config.data().crop().option());
        settings.put("caption-template", config.data().captionTemplate());
        settings.put("bank", config.data().noiseBank());
        settings.put("min-snr", config.loss().minSnr());
        settings.put("noise-offset", config.loss().noiseOffset());
        settings.put("prior",
                config.loss().priorPreservation().map(TrainingConfig.PriorPreservation::source).orElse(""));
        settings.put("prior-weight",
                config.loss().priorPreservation().map(TrainingConfig.PriorPreservation::weight).orElse(0.0));
        settings.put("preview-every", config.runtime().previewEvery());
        settings.put("precision", config.runtime().precision().option());
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            settings.put(feature.option(), config.has(feature));
        return settings;
    }

    public static JsonObject write(TrainingConfig config) {
        JsonObject json = new JsonObject();
        settings(config).forEach((name, value) -> {
            if (value.equals("") && OPTIONAL_RATES.contains(name)) return;
            switch (value) {
                case Number number -> json.addProperty(name, number);
                case Boolean flag -> json.addProperty(name, flag);
                default -> json.addProperty(name, value.toString());
            }
        });
        return json;
    }

    public static TrainingConfig read(Json json) throws Failure.Unreadable {
        TrainingConfig.ScheduleConfig schedule = new TrainingConfig.ScheduleConfig(integer(json, "steps"),
                learningRates(json), seed(json), integer(json, "warmup"),
                enumValue(json, "decay", TrainingConfig.LearningRateDecay.class));
        TrainingConfig.OptimizerConfig optimizer = new TrainingConfig.OptimizerConfig(
                enumValue(json, "optimizer", TrainingConfig.OptimizerName.class), integer(json, "batch"),
                integer(json, "accumulate"), json.number("ema"));
        TrainingConfig.DataConfig data = new TrainingConfig.DataConfig(integer(json, "size"),
                enumValue(json, "crop", TrainingConfig.CropMode.class), json.string("caption-template"),
                integer(json, "bank"));
        String prior = json.string("prior");
        TrainingConfig.LossConfig loss = new TrainingConfig.LossConfig(json.number("min-snr"),
                json.number("noise-offset"),
                prior.isEmpty() ? Optional.empty()
                        : Optional.of(new TrainingConfig.PriorPreservation(prior, json.number("prior-weight"))));
        Set<TrainingConfig.Feature> features = EnumSet.noneOf(TrainingConfig.Feature.class);
        for (TrainingConfig.Feature feature : TrainingConfig.Feature.values())
            if (json.get(feature.option(), "true or false", Json::bool)) features.add(feature);
        return new TrainingConfig(schedule, optimizer, data, loss,
                new TrainingConfig.RuntimeConfig(integer(json, "preview-every"),
                        enumValue(json, "precision", TrainingConfig.PrecisionMode.class), features));
    }

    private static TrainingConfig.LearningRateConfig learningRates(Json json) throws Failure.Unreadable {
        return new TrainingConfig.LearningRateConfig(json.number("rate"), optionalRate(json, ALSO_RATE),
                optionalRate(json, WORD_RATE), optionalRate(json, TEXT_ENCODER_RATE));
    }

    private static long seed(Json json) throws Failure.Unreadable {
        return json.get("seed", Seed.RANGE, element -> {
            if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("no number");
            BigDecimal number = element.getAsBigDecimal();
            if (number.abs().compareTo(SEED_LIMIT) >= 0) throw new IllegalArgumentException("too large");
            return Seed.parse(number.toBigIntegerExact().toString()).orElseThrow();
        });
    }

    private static OptionalDouble optionalRate(Json json, String key) throws Failure.Unreadable {
        return json.has(key) ? OptionalDouble.of(json.number(key)) : OptionalDouble.empty();
    }

    /// Empty where there is none.
    private static Object textOrEmpty(OptionalDouble rate) {
        return rate.isPresent() ? (Object) rate.getAsDouble() : "";
    }

    /// Which of them are too small is for the recipe to say.
    private static int integer(Json json, String key) throws Failure.Unreadable {
        return json.integer(key, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static <E extends Enum<E> & TrainingConfig.OptionValue> E enumValue(Json json, String key, Class<E> type)
            throws Failure.Unreadable {
        String expected = "one of " + Arrays.stream(type.getEnumConstants())
                .map(TrainingConfig.OptionValue::option)
                .collect(Collectors.joining(", "));
        return json.get(key, expected,
                element -> TrainingConfig.OptionValue.ofOption(type, Json.string(element)).orElseThrow());
    }
}
