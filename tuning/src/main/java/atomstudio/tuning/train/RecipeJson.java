package atomstudio.tuning.train;

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

/// A recipe in run.json: every setting by the name of its option. What a file does not say is as runs had it before there was a choice.
final class RecipeJson {
    private static final String ALSO_RATE = "also-rate";
    private static final String WORD_RATE = "word-rate";
    private static final String TEXT_ENCODER_RATE = "text-encoder-rate";

    private static final Set<String> OPTIONAL_RATES = Set.of(ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE);

    private static final BigDecimal SEEDS = new BigDecimal(BigInteger.TWO.pow(Long.SIZE));

    private RecipeJson() {}

    /// The settings by their options' names, in the order of the options' help.
    static Map<String, Object> settings(Recipe recipe) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("steps", recipe.course().steps());
        settings.put("rate", recipe.course().rate());
        settings.put(ALSO_RATE, text(recipe.course().rates().also()));
        settings.put(WORD_RATE, text(recipe.course().rates().word()));
        settings.put(TEXT_ENCODER_RATE, text(recipe.course().rates().textEncoder()));
        settings.put("seed", new BigInteger(Seed.format(recipe.course().seed())));
        settings.put("warmup", recipe.course().warmUp());
        settings.put("decay", recipe.course().decay().option());
        settings.put("optimizer", recipe.update().optimizer().option());
        settings.put("batch", recipe.update().batch());
        settings.put("accumulate", recipe.update().accumulate());
        settings.put("ema", recipe.update().ema());
        settings.put("size", recipe.material().size());
        settings.put("crop", recipe.material().crop().option());
        settings.put("caption-template", recipe.material().template());
        settings.put("bank", recipe.material().bank());
        settings.put("min-snr", recipe.weighing().minSnr());
        settings.put("noise-offset", recipe.weighing().noiseOffset());
        settings.put("prior", recipe.weighing().prior().map(Recipe.Prior::source).orElse(""));
        settings.put("prior-weight", recipe.weighing().prior().map(Recipe.Prior::weight).orElse(0.0));
        settings.put("preview-every", recipe.running().previewEvery());
        settings.put("precision", recipe.running().precision().option());
        for (Recipe.Feature feature : Recipe.Feature.values()) settings.put(feature.option(), recipe.has(feature));
        return settings;
    }

    static JsonObject write(Recipe recipe) {
        JsonObject json = new JsonObject();
        settings(recipe).forEach((name, value) -> {
            if (value.equals("") && OPTIONAL_RATES.contains(name)) return;
            switch (value) {
                case Number number -> json.addProperty(name, number);
                case Boolean yes -> json.addProperty(name, yes);
                default -> json.addProperty(name, value.toString());
            }
        });
        return json;
    }

    static Recipe read(Json json) throws Failure.Unreadable {
        Recipe.Course course = new Recipe.Course(whole(json, "steps"), rates(json), seed(json), whole(json, "warmup"), named(json, "decay", Recipe.Decay.class));
        Recipe.Update update = new Recipe.Update(named(json, "optimizer", Recipe.OptimizerName.class), whole(json, "batch"), whole(json, "accumulate"), json.number("ema"));
        Recipe.Material material = new Recipe.Material(whole(json, "size"), named(json, "crop", Recipe.Crop.class), json.string("caption-template"), json.has("bank") ? whole(json, "bank") : 0);
        String prior = json.string("prior");
        Recipe.Weighing weighing = new Recipe.Weighing(json.number("min-snr"), json.number("noise-offset"),
                prior.isEmpty() ? Optional.empty() : Optional.of(new Recipe.Prior(prior, json.number("prior-weight"))));
        Set<Recipe.Feature> features = EnumSet.noneOf(Recipe.Feature.class);
        for (Recipe.Feature feature : Recipe.Feature.values()) if (json.has(feature.option()) && json.get(feature.option(), "true or false", Json::bool)) features.add(feature);
        return new Recipe(course, update, material, weighing, new Recipe.Running(whole(json, "preview-every"), named(json, "precision", Recipe.Precision.class), features));
    }

    /// A run of format 1, which knew steps, rate, seed and previews.
    static Recipe readFirst(Json json) throws Failure.Unreadable {
        return new Recipe(new Recipe.Course(whole(json, "steps"), json.number("rate"), seed(json), Recipe.WARM_UP, Recipe.Decay.CONSTANT),
                new Recipe.Update(Recipe.OptimizerName.ADAMW, Recipe.OPEN, 1, 0), new Recipe.Material(Recipe.OPEN, Recipe.Crop.CENTRE, "", 0),
                new Recipe.Weighing(0, 0, Optional.empty()), new Recipe.Running(whole(json, "previewEvery"), Recipe.Precision.FP32, Set.of()));
    }

    /// Runs from before each part had a learning rate of its own were trained with one.
    private static Recipe.Rates rates(Json json) throws Failure.Unreadable {
        return new Recipe.Rates(json.number("rate"), rate(json, ALSO_RATE), rate(json, WORD_RATE), rate(json, TEXT_ENCODER_RATE));
    }

    /// Negative in runs from before seeds were written unsigned.
    private static long seed(Json json) throws Failure.Unreadable {
        return json.get("seed", Seed.RANGE, element -> {
            if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("no number");
            BigDecimal number = element.getAsBigDecimal();
            if (number.abs().compareTo(SEEDS) >= 0) throw new IllegalArgumentException("too large");
            return Seed.parse(number.toBigIntegerExact().toString()).orElseThrow();
        });
    }

    private static OptionalDouble rate(Json json, String key) throws Failure.Unreadable {
        return json.has(key) ? OptionalDouble.of(json.number(key)) : OptionalDouble.empty();
    }

    /// Empty where there is none.
    private static Object text(OptionalDouble rate) {
        return rate.isPresent() ? (Object) rate.getAsDouble() : "";
    }

    /// Which of them are too small is for the recipe to say.
    private static int whole(Json json, String key) throws Failure.Unreadable {
        return json.integer(key, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static <E extends Enum<E> & Recipe.Named> E named(Json json, String key, Class<E> family) throws Failure.Unreadable {
        String expected = "one of " + Arrays.stream(family.getEnumConstants()).map(Recipe.Named::option).collect(Collectors.joining(", "));
        return json.get(key, expected, element -> Recipe.Named.of(family, Json.string(element)).orElseThrow());
    }
}
