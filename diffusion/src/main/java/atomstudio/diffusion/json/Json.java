package atomstudio.diffusion.json;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A JSON object with typed access; missing keys and values of another type fail with the file and the key. A null
/// value counts as missing.
/// @param source the file and the path within it, for error messages
public record Json(String source, JsonObject object) {
    private static final long MAX_BYTES = 64L << 20;

    /// @throws Failure.Unreadable if the file is missing, larger than 64 MiB, or not a JSON object
    public static Json read(Path file) throws Failure.Unreadable {
        if (!Files.isRegularFile(file))
            throw new Failure.Unreadable(
                    file + ": expected a JSON file, found " + (Files.exists(file) ? "no regular file" : "nothing"));
        try {
            if (Files.size(file) > MAX_BYTES)
                throw new Failure.Unreadable(
                        file + ": expected at most " + MAX_BYTES + " bytes of JSON, found " + Files.size(file));
            return parse(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read as text: " + e.getMessage(), e);
        }
    }

    public static Json parse(String source, String text) throws Failure.Unreadable {
        try {
            return new Json(source, JsonParser.parseString(text).getAsJsonObject());
        } catch (JsonParseException | IllegalStateException | StackOverflowError e) {
            throw new Failure.Unreadable(source + ": expected a JSON object: " + reason(e), e);
        }
    }

    private static String reason(Throwable e) {
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        return SafeText.of(message.replaceFirst("^[\\w.]+Exception: ", ""));
    }

    public boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    public long integer(String key) throws Failure.Unreadable {
        return get(key, "a whole number", Json::integer);
    }

    /// An integer from `min` to `max`, both inclusive.
    public int integer(String key, int min, int max) throws Failure.Unreadable {
        String expected = max == Integer.MAX_VALUE ? "a whole number of at least " + min
                : "a whole number from " + min + " to " + max;
        return get(key, expected, element -> {
            long number = integer(element);
            if (number < min || number > max) throw new IllegalArgumentException("out of bounds");
            return (int) number;
        });
    }

    /// A finite number.
    public double number(String key) throws Failure.Unreadable {
        return get(key, "a number", Json::number);
    }

    public String string(String key) throws Failure.Unreadable {
        return get(key, "a string", Json::string);
    }

    public Json object(String key) throws Failure.Unreadable {
        return new Json(source + ": " + key, get(key, "an object", JsonElement::getAsJsonObject));
    }

    /// The objects of a list; the source of each includes its index.
    public List<Json> objects(String key) throws Failure.Unreadable {
        JsonArray array = get(key, "a list of objects", JsonElement::getAsJsonArray);
        List<Json> objects = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            if (!array.get(i).isJsonObject())
                throw new Failure.Unreadable(
                        source + ": " + key + "[" + i + "]: expected an object, found " + SafeText.of(array.get(i)));
            objects.add(new Json(source + ": " + key + "[" + i + "]", array.get(i).getAsJsonObject()));
        }
        return List.copyOf(objects);
    }

    public List<String> strings(String key) throws Failure.Unreadable {
        return get(key, "a list of strings",
                element -> element.getAsJsonArray().asList().stream().map(Json::string).toList());
    }

    /// A required value.
    /// @param convert may throw any [RuntimeException] for a value of another type
    public <T> T get(String key, String expected, Function<JsonElement, T> convert) throws Failure.Unreadable {
        Optional<T> found = find(key, expected, convert);
        if (found.isPresent()) return found.get();
        throw new Failure.Unreadable(source + ": " + key + ": expected " + expected + ", found nothing");
    }

    /// An optional value.
    /// @param convert may throw any [RuntimeException] for a value of another type
    public <T> Optional<T> find(String key, String expected, Function<JsonElement, T> convert)
            throws Failure.Unreadable {
        if (!has(key)) return Optional.empty();
        try {
            return Optional.of(convert.apply(object.get(key)));
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(source + ": " + SafeText.of(key) + ": expected " + expected + ", found "
                    + SafeText.of(object.get(key)), e);
        }
    }

    /// Converts a string; numbers are rejected.
    public static String string(JsonElement element) {
        if (!element.getAsJsonPrimitive().isString()) throw new IllegalStateException("not a string");
        return element.getAsString();
    }

    /// Converts a boolean.
    public static boolean bool(JsonElement element) {
        if (!element.getAsJsonPrimitive().isBoolean()) throw new IllegalStateException("not a boolean");
        return element.getAsBoolean();
    }

    /// Converts a number without a fraction.
    public static long integer(JsonElement element) {
        if (!element.getAsJsonPrimitive().isNumber()) throw new IllegalStateException("not a number");
        return element.getAsBigDecimal().longValueExact();
    }

    /// Converts a finite number.
    public static double number(JsonElement element) {
        if (!element.getAsJsonPrimitive().isNumber() || !Double.isFinite(element.getAsDouble()))
            throw new IllegalStateException("not a finite number");
        return element.getAsDouble();
    }

    /// Converts a path that is valid on this system.
    public static Path path(JsonElement element) {
        String string = string(element);
        if (string.isBlank()) throw new IllegalStateException("not a path");
        return Path.of(string);
    }

    /// A number as JSON; null if it is not finite, since JSON has no NaN or infinity.
    public static JsonElement numberOrNull(double number) {
        return Double.isFinite(number) ? new JsonPrimitive(number) : JsonNull.INSTANCE;
    }
}
