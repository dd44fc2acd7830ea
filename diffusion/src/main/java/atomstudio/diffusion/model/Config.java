package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A JSON configuration that names itself in its complaints. A key that is absent or null has the reference class's default.
public record Config(Path file, JsonObject json) {
    private static final long LONGEST = 16L << 20;

    /// @throws Failure.Unreadable when the file is missing or is not a JSON object
    public static Config read(Path file) throws Failure {
        if (!Files.isRegularFile(file)) throw new Failure.Unreadable(file + ": expected a configuration file, found nothing");
        try {
            if (Files.size(file) > LONGEST) throw new Failure.Unreadable(file + ": expected a configuration, found " + Files.size(file) + " bytes");
            return new Config(file, JsonParser.parseString(Files.readString(file, StandardCharsets.UTF_8)).getAsJsonObject());
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read as text: " + e.getMessage(), e);
        } catch (JsonParseException | IllegalStateException e) {
            throw new Failure.Unreadable(file + ": expected a JSON object: " + e.getMessage(), e);
        }
    }

    public boolean has(String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }

    public int whole(String key, int otherwise) throws Failure {
        int value = get(key, "a whole number", e -> e.getAsBigDecimal().intValueExact()).orElse(otherwise);
        if (value < 0 || value > 1 << 24) throw wrong(key, "a whole number from 0 to " + (1 << 24), json.get(key));
        return value;
    }

    /// A whole number of at least 1.
    public int positive(String key, int otherwise) throws Failure {
        int value = whole(key, otherwise);
        if (value < 1) throw wrong(key, "a whole number of at least 1", json.get(key));
        return value;
    }

    public double number(String key, double otherwise) throws Failure {
        return get(key, "a number", JsonElement::getAsDouble).orElse(otherwise);
    }

    public boolean flag(String key, boolean otherwise) throws Failure {
        return get(key, "true or false", e -> {
            if (!e.getAsJsonPrimitive().isBoolean()) throw new IllegalStateException();
            return e.getAsBoolean();
        }).orElse(otherwise);
    }

    public String text(String key, String otherwise) throws Failure {
        return get(key, "a text", JsonElement::getAsString).orElse(otherwise);
    }

    public List<String> texts(String key, List<String> otherwise) throws Failure {
        return get(key, "a list of texts", e -> list(e, JsonElement::getAsString)).orElse(otherwise);
    }

    /// A list of positive whole numbers; a single number stands for itself, `length` times.
    public List<Integer> wholes(String key, List<Integer> otherwise, int length) throws Failure {
        List<Integer> found = get(key, "a whole number or a list of them", e -> e.isJsonArray()
                ? list(e, x -> x.getAsBigDecimal().intValueExact()) : Collections.nCopies(length, e.getAsBigDecimal().intValueExact())).orElse(otherwise);
        if (found.stream().anyMatch(x -> x < 1 || x > 1 << 24)) throw wrong(key, "numbers of at least 1", json.get(key));
        return found;
    }

    /// Refuses a key whose value is something that is not built here.
    public void expect(String key, JsonElement supported) throws Failure {
        if (has(key) && !json.get(key).equals(supported)) {
            throw new Failure.Incompatible(file + ": " + key + " = " + json.get(key) + " is not supported; only " + supported + " is");
        }
    }

    /// The object under a key, as a configuration of the same file; an empty one where it is absent.
    Config part(String key) throws Failure {
        return new Config(file, get(key, "an object", JsonElement::getAsJsonObject).orElseGet(JsonObject::new));
    }

    public Failure wrong(String key, String expected, JsonElement found) {
        return new Failure.Unreadable(file + ": " + key + ": expected " + expected + ", found " + found);
    }

    private <T> Optional<T> get(String key, String expected, Function<JsonElement, T> as) throws Failure {
        if (!has(key)) return Optional.empty();
        try {
            return Optional.of(as.apply(json.get(key)));
        } catch (RuntimeException e) {
            throw wrong(key, expected, json.get(key));
        }
    }

    private static <T> List<T> list(JsonElement json, Function<JsonElement, T> as) {
        List<T> all = new ArrayList<>();
        json.getAsJsonArray().forEach(e -> all.add(as.apply(e)));
        return List.copyOf(all);
    }
}
