package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.config.TrainingConfig.OptionValue;
import com.google.gson.JsonElement;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The values of a setting: how they are read from text and from run.json, and which are valid.
/// @param label         stands for the value in the help
/// @param allowedValues as text, where these are a few names; else empty
/// @param form          the text that `parse` accepts, for messages
/// @param parse         throws NumberFormatException or NoSuchElementException for other text
/// @param range         the valid values, for messages
/// @param unset         the value of a setting that is left open: always valid, and empty as text
record SettingType<T>(String label, List<String> allowedValues, String form, Function<String, T> parse,
        JsonReader<T> reader, Predicate<T> isValid, String range, Optional<Unset<T>> unset) {
    private static final BigDecimal SEED_LIMIT = new BigDecimal(BigInteger.TWO.pow(Long.SIZE));

    interface JsonReader<T> {
        T read(Json json, String key) throws Failure.Unreadable;
    }

    /// @param label    shown in the window where this is the default
    /// @param required options without which the setting must be left open
    record Unset<T>(T value, String label, String required) {}

    private SettingType(String label, List<String> allowedValues, String form, Function<String, T> parse,
            JsonReader<T> reader) {
        this(label, allowedValues, form, parse, reader, _ -> true, "", Optional.empty());
    }

    SettingType<T> in(String range, Predicate<T> isValid) {
        return new SettingType<>(label, allowedValues, form, parse, reader, isValid, range, unset);
    }

    SettingType<T> unset(T value, String unsetLabel) {
        return unset(value, unsetLabel, "");
    }

    private SettingType<T> unset(T value, String unsetLabel, String required) {
        return new SettingType<>(label, allowedValues, form, parse, reader, isValid, range,
                Optional.of(new Unset<>(value, unsetLabel, required)));
    }

    static SettingType<String> text(String label) {
        return new SettingType<>(label, List.of(), "text", String::strip, Json::string);
    }

    static SettingType<Integer> integer() {
        return new SettingType<>("N", List.of(), "a whole number", text -> Integer.valueOf(text.strip()),
                (json, key) -> json.integer(key, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    static SettingType<Double> number() {
        return new SettingType<>("X", List.of(), "a number", Double::valueOf, Json::number);
    }

    static SettingType<Double> learningRate() {
        return number().in("a number above 0 and below 10", rate -> rate > 0 && rate < 10);
    }

    /// The learning rate of a part that may not be trained.
    /// @param required options that train it
    static SettingType<OptionalDouble> optionalLearningRate(String required) {
        SettingType<Double> rate = learningRate();
        return new SettingType<OptionalDouble>(rate.label, List.of(), rate.form,
                text -> OptionalDouble.of(rate.parse.apply(text)),
                (json, key) -> json.has(key) ? OptionalDouble.of(json.number(key)) : OptionalDouble.empty())
                .in(rate.range, value -> rate.isValid.test(value.orElseThrow()))
                .unset(OptionalDouble.empty(), "not used", required);
    }

    static SettingType<Long> seed() {
        return new SettingType<>("N", List.of(), Seed.RANGE, text -> Seed.parse(text).orElseThrow(),
                (json, key) -> json.get(key, Seed.RANGE, SettingType::seed));
    }

    private static long seed(JsonElement element) {
        if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("no number");
        BigDecimal number = element.getAsBigDecimal();
        if (number.abs().compareTo(SEED_LIMIT) >= 0) throw new IllegalArgumentException("too large");
        return Seed.parse(number.toBigIntegerExact().toString()).orElseThrow();
    }

    /// Switched on by its name.
    static SettingType<Boolean> flag() {
        List<String> names = List.of(TrainingSetting.NO, TrainingSetting.YES);
        return new SettingType<>("YES", names, "yes or no",
                text -> Optional.of(text).filter(names::contains).orElseThrow().equals(TrainingSetting.YES),
                (json, key) -> json.get(key, "true or false", Json::bool));
    }

    static <E extends Enum<E> & OptionValue> SettingType<E> oneOf(Class<E> type) {
        List<String> names = Stream.of(type.getEnumConstants()).map(OptionValue::option).toList();
        String form = "one of " + String.join(", ", names);
        return new SettingType<>("NAME", names, form,
                text -> OptionValue.ofOption(type, text.strip()).orElseThrow(),
                (json, key) -> json.get(key, form,
                        element -> OptionValue.ofOption(type, Json.string(element)).orElseThrow()));
    }

    boolean isUnset(Object value) {
        return unset.filter(open -> open.value.equals(value)).isPresent();
    }

    /// A value as in run.json: a number, a boolean or a text.
    static Object jsonValue(Object value) {
        return switch (value) {
            case Long seed -> new BigInteger(Seed.format(seed));
            case OptionalDouble rate -> rate.isPresent() ? (Object) rate.getAsDouble() : "";
            case OptionValue option -> option.option();
            default -> value;
        };
    }

    /// A value as text; empty where it is left open.
    String format(Object value) {
        if (isUnset(value)) return "";
        return switch (jsonValue(value)) {
            case Boolean flag -> flag ? TrainingSetting.YES : TrainingSetting.NO;
            case Number number -> new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
            case Object other -> other.toString();
        };
    }
}
