package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A JSON object of a run folder; what is missing or of another kind is refused by file and key.
record Json(String source, JsonObject object) {
    static Json read(Path file) throws Failure.Unreadable {
        try {
            return parse(file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    static Json parse(String source, String text) throws Failure.Unreadable {
        try {
            return new Json(source, JsonParser.parseString(text).getAsJsonObject());
        } catch (JsonParseException | IllegalStateException e) {
            throw new Failure.Unreadable(source + ": expected a JSON object: " + e.getMessage(), e);
        }
    }

    boolean has(String key) {
        return object.has(key);
    }

    long whole(String key) throws Failure.Unreadable {
        return get(key, "a whole number", e -> e.getAsBigDecimal().longValueExact());
    }

    double number(String key) throws Failure.Unreadable {
        return get(key, "a number", JsonElement::getAsDouble);
    }

    String text(String key) throws Failure.Unreadable {
        return get(key, "a text", JsonElement::getAsString);
    }

    Json object(String key) throws Failure.Unreadable {
        return new Json(source + ": " + key, get(key, "an object", JsonElement::getAsJsonObject));
    }

    <T> T get(String key, String expected, java.util.function.Function<JsonElement, T> as) throws Failure.Unreadable {
        try {
            return as.apply(object.get(key));
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(source + ": " + key + ": expected " + expected + ", found " + object.get(key), e);
        }
    }
}
