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

/// A JSON configuration that names itself in its complaints. A key that is absent or null has the reference class's default.
public record Config(Path file, JsonObject json) {
    private static final int MOST = 1 << 24;
    /// The longest list of widths: one a level of a network.
    private static final int LONGEST = 16;

    /// @throws Failure.Unreadable when the file is missing or is not a JSON object
    public static Config read(Path file) throws Failure {
        return new Config(file, Json.read(file).object());
    }

    public boolean has(String key) {
        return keys().has(key);
    }

    public int whole(String key, int otherwise) throws Failure {
        return bounded(key, otherwise, 0, MOST);
    }

    /// A whole number of at least 1.
    public int positive(String key, int otherwise) throws Failure {
        return bounded(key, otherwise, 1, MOST);
    }

    /// A number of layers, or of something else that is built one by one: of at least 1, and not so large that building them would never end.
    public int count(String key, int otherwise, int most) throws Failure {
        return bounded(key, otherwise, 1, most);
    }

    private int bounded(String key, int otherwise, int least, int most) throws Failure {
        return keys().has(key) ? keys().integer(key, least, most) : otherwise;
    }

    public double number(String key, double otherwise) throws Failure {
        return keys().find(key, "a number", Json::number).orElse(otherwise);
    }

    public boolean flag(String key, boolean otherwise) throws Failure {
        return keys().find(key, "true or false", Json::bool).orElse(otherwise);
    }

    public String text(String key, String otherwise) throws Failure {
        return keys().find(key, "a text", Json::string).orElse(otherwise);
    }

    public List<String> texts(String key, List<String> otherwise) throws Failure {
        return keys().find(key, "a list of texts", e -> list(e, Json::string)).orElse(otherwise);
    }

    /// As many finite numbers as `otherwise` has.
    public List<Double> numbers(String key, List<Double> otherwise) throws Failure {
        String expected = "a list of " + otherwise.size() + " numbers";
        List<Double> found = keys().find(key, expected, e -> list(e, Json::number)).orElse(otherwise);
        if (found.size() != otherwise.size() || !found.stream().allMatch(Double::isFinite)) throw wrong(key, expected, json.get(key));
        return found;
    }

    /// A list of positive whole numbers; a single number stands for itself, `length` times.
    public List<Integer> wholes(String key, List<Integer> otherwise, int length) throws Failure {
        List<Integer> found = keys().find(key, "a whole number or a list of them", e -> e.isJsonArray()
                ? list(e, x -> Math.toIntExact(Json.integer(x))) : Collections.nCopies(length, Math.toIntExact(Json.integer(e)))).orElse(otherwise);
        if (found.stream().anyMatch(x -> x < 1 || x > MOST) || found.size() > LONGEST) throw wrong(key, "1 to " + LONGEST + " numbers of at least 1", json.get(key));
        return found;
    }

    /// Refuses a key whose value is something that is not built here.
    public void expect(String key, JsonElement supported) throws Failure {
        if (has(key) && !json.get(key).equals(supported)) {
            throw new Failure.Incompatible(file + ": " + key + " = " + SafeText.of(json.get(key)) + " is not supported; only " + supported + " is");
        }
    }

    /// The object under a key, as a configuration of the same file; an empty one where it is absent.
    Config part(String key) throws Failure {
        return new Config(file, keys().find(key, "an object", JsonElement::getAsJsonObject).orElseGet(JsonObject::new));
    }

    public Failure wrong(String key, String expected, JsonElement found) {
        return new Failure.Unreadable(file + ": " + key + ": expected " + expected + ", found " + SafeText.of(found));
    }

    private Json keys() {
        return new Json(file.toString(), json);
    }

    private static <T> List<T> list(JsonElement json, Function<JsonElement, T> as) {
        List<T> all = new ArrayList<>();
        json.getAsJsonArray().forEach(e -> all.add(as.apply(e)));
        return List.copyOf(all);
    }
}
