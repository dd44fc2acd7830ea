package atomstudio.tuning.train;

import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.Recipe.Feature;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;

/// Training settings as a person asks for them, by name and as text; what is not asked for is the method's default. Refuses what cannot
/// be understood by the setting's name; the command line and the window say the same of it.
public record TrainingSettings(Map<TrainingSetting, String> chosen) {
    public static final TrainingSettings USUAL = new TrainingSettings(Map.of());

    public TrainingSettings {
        Map<TrainingSetting, String> kept = new EnumMap<>(TrainingSetting.class);
        kept.putAll(chosen);
        kept.values().removeIf(String::isBlank);
        kept.entrySet().removeIf(entry -> entry.getKey().flag() && entry.getValue().equals(TrainingSetting.NO));
        chosen = Collections.unmodifiableMap(kept);
    }

    /// What differs from a method's defaults in a recipe.
    public static TrainingSettings of(Recipe recipe, MethodSettings method) {
        Map<String, Object> values = RecipeJson.settings(recipe);
        Map<TrainingSetting, String> different = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) {
            String value = text(setting, values);
            if (!value.equals(usual(setting, method, recipe.update().optimizer()))) different.put(setting, value);
        }
        return new TrainingSettings(different);
    }

    /// With one thing chosen otherwise; empty: as the method has it.
    public TrainingSettings with(TrainingSetting setting, String value) {
        Map<TrainingSetting, String> more = new EnumMap<>(TrainingSetting.class);
        more.putAll(chosen);
        more.put(setting, value);
        return new TrainingSettings(more);
    }

    /// What a setting is where nobody asks for another; empty where the model or the run decides.
    public String usual(TrainingSetting setting, MethodSettings method) {
        Optional<Recipe.OptimizerName> asked = Recipe.Named.of(Recipe.OptimizerName.class, chosen.getOrDefault(TrainingSetting.OPTIMIZER, ""));
        return usual(setting, method, asked.orElse(Recipe.OptimizerName.ADAMW));
    }

    private static String usual(TrainingSetting setting, MethodSettings method, Recipe.OptimizerName optimizer) {
        return switch (setting) {
            case RATE -> plain(Recipe.rate(optimizer, Recipe.of(method).course().rates().method()));
            case ALSO_RATE -> plain(optimizer, Recipe.of(method).course().rates().also());
            case WORD_RATE -> plain(optimizer, Recipe.of(method).course().rates().word());
            case TEXT_ENCODER_RATE -> plain(optimizer, Recipe.of(method).course().rates().textEncoder());
            case PRIOR_WEIGHT -> "1";
            case STEPS, SEED, WARMUP, DECAY, OPTIMIZER, BATCH, ACCUMULATE, EMA, SIZE, CROP, FLIP, CAPTIONS, CAPTION_TEMPLATE, MASKS, BANK, MIN_SNR, NOISE_OFFSET, PRIOR, PREVIEW_EVERY, VALIDATE, STOP_EARLY, PRECISION,
                CHECKPOINTING -> text(setting, RecipeJson.settings(Recipe.of(method)));
        };
    }

    private static String text(TrainingSetting setting, Map<String, Object> values) {
        Object value = values.get(setting.command());
        return switch (setting) {
            case BATCH, SIZE, MIN_SNR -> ((Number) value).doubleValue() == 0 ? "" : plain((Number) value);
            case PRIOR_WEIGHT -> ((Number) value).doubleValue() == 0 ? "1" : plain((Number) value);
            case FLIP, CAPTIONS, MASKS, VALIDATE, STOP_EARLY, CHECKPOINTING -> Boolean.TRUE.equals(value) ? TrainingSetting.YES : TrainingSetting.NO;
            case STEPS, RATE, ALSO_RATE, WORD_RATE, TEXT_ENCODER_RATE, SEED, WARMUP, DECAY, OPTIMIZER, ACCUMULATE, EMA, CROP, CAPTION_TEMPLATE, BANK, NOISE_OFFSET, PRIOR, PREVIEW_EVERY, PRECISION -> value instanceof Number number ? plain(number) : value.toString();
        };
    }

    private static String plain(Recipe.OptimizerName optimizer, OptionalDouble rate) {
        return rate.isPresent() ? plain(Recipe.rate(optimizer, rate.getAsDouble())) : "";
    }

    private static String plain(Number number) {
        return new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
    }

    /// @throws IllegalArgumentException that begins with the name of the setting which cannot be as asked
    public Recipe recipe(MethodSettings method) {
        if (chosen.containsKey(TrainingSetting.PRIOR_WEIGHT) && !chosen.containsKey(TrainingSetting.PRIOR)) {
            throw new IllegalArgumentException("prior-weight: expected --prior beside it, found none");
        }
        Recipe usual = Recipe.of(method);
        Recipe.Rates own = usual.course().rates();
        checkTrained(TrainingSetting.ALSO_RATE, own.also(), "--also METHOD beside it (a word has --word-rate)");
        checkTrained(TrainingSetting.WORD_RATE, own.word(), "--method atoms+word or --also textual-inversion beside it");
        checkTrained(TrainingSetting.TEXT_ENCODER_RATE, own.textEncoder(), "--text-encoder beside it");
        Recipe.OptimizerName optimizer = named(TrainingSetting.OPTIMIZER, Recipe.OptimizerName.class, usual.update().optimizer());
        Recipe.Rates rates = new Recipe.Rates(number(TrainingSetting.RATE, Recipe.rate(optimizer, own.method())),
                rate(TrainingSetting.ALSO_RATE, optimizer, own.also()),
                rate(TrainingSetting.WORD_RATE, optimizer, own.word()), rate(TrainingSetting.TEXT_ENCODER_RATE, optimizer, own.textEncoder()));
        Recipe.Course course = new Recipe.Course(whole(TrainingSetting.STEPS, usual.course().steps()), rates,
                given(TrainingSetting.SEED, Seed.RANGE, text -> Seed.parse(text).orElseThrow(NumberFormatException::new)).orElse(usual.course().seed()), whole(TrainingSetting.WARMUP, usual.course().warmUp()),
                named(TrainingSetting.DECAY, Recipe.Decay.class, usual.course().decay()));
        Recipe.Update update = new Recipe.Update(optimizer, counted(TrainingSetting.BATCH), whole(TrainingSetting.ACCUMULATE, usual.update().accumulate()), number(TrainingSetting.EMA, usual.update().ema()));
        Recipe.Material material = new Recipe.Material(counted(TrainingSetting.SIZE), named(TrainingSetting.CROP, Recipe.Crop.class, usual.material().crop()), chosen.getOrDefault(TrainingSetting.CAPTION_TEMPLATE, ""), whole(TrainingSetting.BANK, 0));
        return new Recipe(course, update, material, weighing(), new Recipe.Running(whole(TrainingSetting.PREVIEW_EVERY, usual.running().previewEvery()),
                named(TrainingSetting.PRECISION, Recipe.Precision.class, usual.running().precision()), features()));
    }

    private Recipe.Weighing weighing() {
        double minSnr = number(TrainingSetting.MIN_SNR, 0);
        if (minSnr == 0 && chosen.containsKey(TrainingSetting.MIN_SNR)) throw new IllegalArgumentException("min-snr: expected a number above 0, usually 5, found 0");
        Optional<Recipe.Prior> prior = Optional.ofNullable(chosen.get(TrainingSetting.PRIOR)).map(source -> new Recipe.Prior(source.strip(), number(TrainingSetting.PRIOR_WEIGHT, 1)));
        return new Recipe.Weighing(minSnr, number(TrainingSetting.NOISE_OFFSET, 0), prior);
    }

    private EnumSet<Feature> features() {
        EnumSet<Feature> features = EnumSet.noneOf(Feature.class);
        for (Feature feature : Feature.values()) {
            TrainingSetting setting = TrainingSetting.valueOf(feature.name());
            String value = chosen.getOrDefault(setting, TrainingSetting.NO);
            if (!setting.names().contains(value)) throw new IllegalArgumentException(setting.command() + ": expected " + TrainingSetting.YES + " or " + TrainingSetting.NO + ", found " + value);
            if (value.equals(TrainingSetting.YES)) features.add(feature);
        }
        return features;
    }

    /// At least 1 where it is given at all.
    private int counted(TrainingSetting setting) {
        int number = whole(setting, Recipe.OPEN);
        if (chosen.containsKey(setting) && number < 1) throw new IllegalArgumentException(setting.command() + ": expected at least 1, found " + number);
        return number;
    }

    private int whole(TrainingSetting setting, int usual) {
        return given(setting, "a whole number", Integer::valueOf).orElse(usual);
    }

    private double number(TrainingSetting setting, double usual) {
        return given(setting, "a number", Double::valueOf).orElse(usual);
    }

    private void checkTrained(TrainingSetting rate, OptionalDouble usual, String expected) {
        if (chosen.containsKey(rate) && usual.isEmpty()) throw new IllegalArgumentException(rate.command() + ": expected " + expected + ", found none");
    }

    private OptionalDouble rate(TrainingSetting setting, Recipe.OptimizerName optimizer, OptionalDouble usual) {
        return usual.isEmpty() ? usual : OptionalDouble.of(number(setting, Recipe.rate(optimizer, usual.getAsDouble())));
    }

    private <T> Optional<T> given(TrainingSetting setting, String expected, Function<String, T> parse) {
        String text = chosen.get(setting);
        if (text == null) return Optional.empty();
        try {
            return Optional.of(parse.apply(text.strip()));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(setting.command() + ": expected " + expected + ", found " + text, e);
        }
    }

    private <E extends Enum<E> & Recipe.Named> E named(TrainingSetting setting, Class<E> family, E usual) {
        String text = chosen.get(setting);
        if (text == null) return usual;
        return Recipe.Named.of(family, text.strip()).orElseThrow(() -> new IllegalArgumentException(setting.command() + ": expected one of " + String.join(", ", setting.names()) + ", found \"" + text + "\""));
    }
}
