package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/// A JSON configuration of a model component. A key that is absent or null has the default of the reference class.
/// Error messages name the file and the key.
public record ModelConfig(Path file, JsonObject json) {
    private static final int MAX_INTEGER = 1 << 24;
    /// Limit on a list of widths, which has one entry per level of a network.
    private static final int MAX_LIST_LENGTH = 16;

    /// @throws Failure.Unreadable when the file is missing or is not a JSON object
    public static ModelConfig read(Path file) throws Failure {
        return new ModelConfig(file, Json.read(file).object());
    }

    public boolean has(String key) {
        return reader().has(key);
    }

    public int integer(String key, int defaultValue) throws Failure {
        return boundedInteger(key, defaultValue, 0, MAX_INTEGER);
    }

    /// An integer of at least 1.
    public int positiveInteger(String key, int defaultValue) throws Failure {
        return boundedInteger(key, defaultValue, 1, MAX_INTEGER);
    }

    /// A number of layers, tokens or the like, from 1 to `max`.
    public int count(String key, int defaultValue, int max) throws Failure {
        return boundedInteger(key, defaultValue, 1, max);
    }

    private int boundedInteger(String key, int defaultValue, int min, int max) throws Failure {
        return reader().has(key) ? reader().integer(key, min, max) : defaultValue;
    }

    public double number(String key, double defaultValue) throws Failure {
        return reader().find(key, "a number", Json::number).orElse(defaultValue);
    }

    public boolean bool(String key, boolean defaultValue) throws Failure {
        return reader().find(key, "true or false", Json::bool).orElse(defaultValue);
    }

    public String string(String key, String defaultValue) throws Failure {
        return reader().find(key, "a string", Json::string).orElse(defaultValue);
    }

    public List<String> strings(String key, List<String> defaultValue) throws Failure {
        return reader().find(key, "a list of strings", e -> list(e, Json::string)).orElse(defaultValue);
    }

    /// A list of finite numbers, as long as `defaultValue`.
    public List<Double> numbers(String key, List<Double> defaultValue) throws Failure {
        String expected = "a list of " + defaultValue.size() + " numbers";
        List<Double> found = reader().find(key, expected, e -> list(e, Json::number)).orElse(defaultValue);
        if (found.size() != defaultValue.size() || !found.stream().allMatch(Double::isFinite))
            throw invalid(key, expected, json.get(key));
        return found;
    }

    /// A list of positive integers; a single integer is repeated `length` times.
    public List<Integer> integers(String key, List<Integer> defaultValue, int length) throws Failure {
        List<Integer> found = reader().find(key, "an integer or a list of integers", e -> e.isJsonArray()
                ? list(e, x -> Math.toIntExact(Json.integer(x)))
                : Collections.nCopies(length, Math.toIntExact(Json.integer(e)))).orElse(defaultValue);
        if (found.stream().anyMatch(x -> x < 1 || x > MAX_INTEGER) || found.size() > MAX_LIST_LENGTH)
            throw invalid(key, "1 to " + MAX_LIST_LENGTH + " integers of at least 1", json.get(key));
        return found;
    }

    /// Checks that a key is absent or has the only supported value.
    /// @throws Failure.Incompatible for any other value
    public void requireSupported(String key, JsonElement supported) throws Failure {
        if (has(key) && !json.get(key).equals(supported)) {
            throw new Failure.Incompatible(file + ": " + key + " = " + SafeText.of(json.get(key))
                    + " is not supported; only " + supported + " is");
        }
    }

    /// A nested object as a configuration of the same file; empty if absent.
    ModelConfig section(String key) throws Failure {
        return new ModelConfig(file,
                reader().find(key, "an object", JsonElement::getAsJsonObject).orElseGet(JsonObject::new));
    }

    public Failure invalid(String key, String expected, JsonElement found) {
        return new Failure.Unreadable(file + ": " + key + ": expected " + expected + ", found " + SafeText.of(found));
    }

    private Json reader() {
        return new Json(file.toString(), json);
    }

    private static <T> List<T> list(JsonElement json, Function<JsonElement, T> parse) {
        List<T> values = new ArrayList<>();
        json.getAsJsonArray().forEach(e -> values.add(parse.apply(e)));
        return List.copyOf(values);
    }
}
