package atomstudio.tuning.setting;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.sample.Seed;
import com.google.gson.JsonElement;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The values of a setting: how they are read from text and from JSON, and which are valid.
/// @param label         stands for the value in the help
/// @param allowedValues as text, where these are a few names; proposals for a list; else empty
/// @param form          the text that `parse` accepts, for messages
/// @param parse         throws NumberFormatException or NoSuchElementException for other text
/// @param range         the valid values, for messages
/// @param unset         the value of a setting that is left open: always valid, and empty as text
/// @param absent        the value where a file does not have the setting; empty: every file has it
public record SettingType<T>(Kind kind, String label, List<String> allowedValues, String form,
        Function<String, T> parse, JsonReader<T> reader, Predicate<T> isValid, String range,
        Optional<Unset<T>> unset, Optional<T> absent) {
    private static final BigDecimal SEED_LIMIT = new BigDecimal(BigInteger.TWO.pow(Long.SIZE));

    /// What the window shows for it: a text field, one of a few names, a list with proposals, a check box. ITEMS: a
    /// text field; on the command line an option that may be repeated.
    public enum Kind { TEXT, CHOICE, LIST, ITEMS, FLAG }

    public interface JsonReader<T> {
        T read(Json json, String key) throws Failure.Unreadable;
    }

    /// @param label    shown in the window where this is the default
    /// @param required options without which the setting must be left open
    public record Unset<T>(T value, String label, String required) {}

    private SettingType(Kind kind, String label, List<String> allowedValues, String form, Function<String, T> parse,
            JsonReader<T> reader) {
        this(kind, label, allowedValues, form, parse, reader, _ -> true, "", Optional.empty(), Optional.empty());
    }

    public SettingType<T> in(String range, Predicate<T> isValid) {
        return new SettingType<>(kind, label, allowedValues, form, parse, reader, isValid, range, unset, absent);
    }

    public SettingType<T> unset(T value, String unsetLabel) {
        return unset(value, unsetLabel, "");
    }

    private SettingType<T> unset(T value, String unsetLabel, String required) {
        return new SettingType<>(kind, label, allowedValues, form, parse, reader, isValid, range,
                Optional.of(new Unset<>(value, unsetLabel, required)), absent);
    }

    /// Files of versions without the setting stand for a value.
    public SettingType<T> absent(T value) {
        return new SettingType<>(kind, label, allowedValues, form, parse, reader, isValid, range, unset,
                Optional.of(value));
    }

    public T read(Json json, String key) throws Failure.Unreadable {
        return absent.isPresent() && !json.has(key) ? absent.get() : reader.read(json, key);
    }

    public SettingType<T> labelled(String newLabel) {
        return new SettingType<>(kind, newLabel, allowedValues, form, parse, reader, isValid, range, unset, absent);
    }

    public static SettingType<String> text(String label) {
        return new SettingType<>(Kind.TEXT, label, List.of(), "text", String::strip, Json::string);
    }

    public static SettingType<Integer> integer() {
        return new SettingType<>(Kind.TEXT, "N", List.of(), "a whole number", text -> Integer.valueOf(text.strip()),
                (json, key) -> json.integer(key, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    public static SettingType<Double> number() {
        return new SettingType<>(Kind.TEXT, "X", List.of(), "a number", Double::valueOf, Json::number);
    }

    public static SettingType<Double> learningRate() {
        return number().in("a number above 0 and below 10", rate -> rate > 0 && rate < 10);
    }

    /// The learning rate of a part that may not be trained.
    /// @param required options that train it
    public static SettingType<OptionalDouble> optionalLearningRate(String required) {
        SettingType<Double> rate = learningRate();
        return new SettingType<OptionalDouble>(Kind.TEXT, rate.label, List.of(), rate.form,
                text -> OptionalDouble.of(rate.parse.apply(text)),
                (json, key) -> OptionalDouble.of(json.number(key)))
                .in(rate.range, value -> rate.isValid.test(value.orElseThrow()))
                .unset(OptionalDouble.empty(), "not used", required)
                .absent(OptionalDouble.empty());
    }

    public static SettingType<Long> seed() {
        return new SettingType<>(Kind.TEXT, "N", List.of(), Seed.RANGE, text -> Seed.parse(text).orElseThrow(),
                (json, key) -> json.get(key, Seed.RANGE, SettingType::seed));
    }

    private static long seed(JsonElement element) {
        if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("no number");
        BigDecimal number = element.getAsBigDecimal();
        if (number.abs().compareTo(SEED_LIMIT) >= 0) throw new IllegalArgumentException("too large");
        return Seed.parse(number.toBigIntegerExact().toString()).orElseThrow();
    }

    /// Switched on by its name.
    public static SettingType<Boolean> flag() {
        List<String> names = List.of(Setting.NO, Setting.YES);
        return new SettingType<>(Kind.FLAG, "YES", names, "yes or no",
                text -> Optional.of(text).filter(names::contains).orElseThrow().equals(Setting.YES),
                (json, key) -> json.get(key, "true or false", Json::bool));
    }

    public static <E extends Enum<E> & OptionValue> SettingType<E> oneOf(Class<E> type) {
        List<String> names = Stream.of(type.getEnumConstants()).map(OptionValue::option).toList();
        return choice("NAME", names, name -> OptionValue.ofOption(type, name).orElseThrow());
    }

    /// One of a few names.
    public static <T> SettingType<T> choice(String label, List<String> names, Function<String, T> parse) {
        String form = "one of " + String.join(", ", names.stream().filter(name -> !name.isEmpty()).toList());
        return new SettingType<>(Kind.CHOICE, label, names, form, text -> parse.apply(text.strip()),
                (json, key) -> json.get(key, form, element -> parse.apply(Json.string(element))));
    }

    /// Text with a form of its own, or a number that is written without quotes in files.
    /// @param proposals for a part of it
    /// @param parse     may also throw IllegalArgumentException with a message of its own, which starts with the
    ///     setting's name
    public static <T> SettingType<T> parsed(String label, List<String> proposals, String form,
            Function<String, T> parse) {
        return new SettingType<>(proposals.isEmpty() ? Kind.TEXT : Kind.LIST, label, proposals, form, parse,
                (json, key) -> json.get(key, form,
                        element -> parse.apply(element.getAsJsonPrimitive().isBoolean() ? "" : element.getAsString())));
    }

    /// A list of items: repeated on the command line, separated by semicolons as text.
    /// @param read may throw any [RuntimeException] for a value of another type
    public static <T> SettingType<T> list(String label, String form, Function<String, T> parse,
            Function<JsonElement, T> read) {
        return new SettingType<>(Kind.ITEMS, label, List.of(), form, parse,
                (json, key) -> json.get(key, form, read));
    }

    public boolean isUnset(Object value) {
        return unset.filter(open -> open.value.equals(value)).isPresent();
    }

    /// A value as in JSON: a number, a boolean or a text.
    public static Object jsonValue(Object value) {
        return switch (value) {
            case Long seed -> new BigInteger(Seed.format(seed));
            case OptionalDouble rate -> rate.isPresent() ? (Object) rate.getAsDouble() : "";
            case OptionValue option -> option.option();
            case Number number -> number;
            case Boolean flag -> flag;
            default -> value.toString();
        };
    }

    /// A value as text; empty where it is left open.
    public String format(Object value) {
        if (isUnset(value)) return "";
        return switch (jsonValue(value)) {
            case Boolean flag -> flag ? Setting.YES : Setting.NO;
            case Number number -> new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
            case Object other -> other.toString();
        };
    }
}
