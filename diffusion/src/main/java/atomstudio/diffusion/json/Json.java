package atomstudio.diffusion.json;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/// A JSON object; what is missing or of another kind is refused by place and key. A key whose value is null counts as absent.
/// @param source what complaints call it: its file, and where in it
public record Json(String source, JsonObject object) {
    private static final long LONGEST = 64L << 20;

    /// @throws Failure.Unreadable when the file is missing, too long to be a configuration, or no JSON object
    public static Json read(Path file) throws Failure.Unreadable {
        if (!Files.isRegularFile(file)) throw new Failure.Unreadable(file + ": expected a JSON file, found nothing");
        try {
            if (Files.size(file) > LONGEST) throw new Failure.Unreadable(file + ": expected at most " + LONGEST + " bytes of JSON, found " + Files.size(file));
            return parse(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read as text: " + e.getMessage(), e);
        }
    }

    public static Json parse(String source, String text) throws Failure.Unreadable {
        try {
            return new Json(source, JsonParser.parseString(text).getAsJsonObject());
        } catch (JsonParseException | IllegalStateException e) {
            throw new Failure.Unreadable(source + ": expected a JSON object: " + e.getMessage(), e);
        }
    }

    public boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    public long whole(String key) throws Failure.Unreadable {
        return get(key, "a whole number", element -> element.getAsBigDecimal().longValueExact());
    }

    public double number(String key) throws Failure.Unreadable {
        return get(key, "a number", JsonElement::getAsDouble);
    }

    public String text(String key) throws Failure.Unreadable {
        return get(key, "a text", Json::text);
    }

    public Json object(String key) throws Failure.Unreadable {
        return new Json(source + ": " + key, get(key, "an object", JsonElement::getAsJsonObject));
    }

    /// What has to be there.
    /// @param as throws what it likes for a value of another kind
    public <T> T get(String key, String expected, Function<JsonElement, T> as) throws Failure.Unreadable {
        Optional<T> found = find(key, expected, as);
        if (found.isPresent()) return found.get();
        throw new Failure.Unreadable(source + ": " + key + ": expected " + expected + ", found nothing");
    }

    /// What may be left out.
    /// @param as throws what it likes for a value of another kind
    public <T> Optional<T> find(String key, String expected, Function<JsonElement, T> as) throws Failure.Unreadable {
        if (!has(key)) return Optional.empty();
        try {
            return Optional.of(as.apply(object.get(key)));
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(source + ": " + key + ": expected " + expected + ", found " + object.get(key), e);
        }
    }

    /// Of an element that is a text, and not a number that could be read as one.
    public static String text(JsonElement element) {
        if (!element.getAsJsonPrimitive().isString()) throw new IllegalStateException("no text");
        return element.getAsString();
    }

    /// Of an element that is true or false.
    public static boolean flag(JsonElement element) {
        if (!element.getAsJsonPrimitive().isBoolean()) throw new IllegalStateException("neither true nor false");
        return element.getAsBoolean();
    }
}
