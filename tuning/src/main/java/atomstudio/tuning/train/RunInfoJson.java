package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonElement;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads `run.json`. Nothing in it is taken on trust: numbers have bounds, names of pictures stay within their folder, and what is told twice
/// is told alike.
final class RunInfoJson {
    static final int FORMAT = 2;
    /// Of runs whose settings were few.
    private static final int FIRST_FORMAT = 1;
    /// A latent pixel of published models is as many pixels.
    private static final int SMALLEST_SIDE = 8;
    private static final int LARGEST_SIDE = 1 << 14;
    private static final int MOST_PICTURES = 1 << 14;
    private static final int MOST_REPEATS = 1000;

    private final Json json;
    private final long format;

    private RunInfoJson(Json json, long format) {
        this.json = json;
        this.format = format;
    }

    /// @throws Failure.Unreadable that names the key whose value cannot be
    /// @throws Failure.Incompatible when a newer version wrote it
    static RunInfo read(Path file) throws Failure {
        Json json = Json.read(file);
        long format = json.integer("format");
        if (format != FORMAT && format != FIRST_FORMAT) throw new Failure.Incompatible(file + ": expected a run of format " + FORMAT + ", found " + format + "; open it with a newer version");
        return new RunInfoJson(json, format).info();
    }

    private RunInfo info() throws Failure {
        Json model = json.object("model");
        RunInfo.Base base = new RunInfo.Base(model.get("path", "a path", Json::path), model.string("name"), model.string("hash"), BaseJson.choices(model));
        RunInfo.Subject subject = new RunInfo.Subject(word(json, "class"), word(json, "token"), pictures("pictures"), texts(json, "captions"));
        if (subject.pictures().isEmpty()) throw wrong("pictures", "at least one picture", "none");
        if (subject.captions().isEmpty()) throw wrong("captions", "at least one caption", "none");
        String created = json.get("created", "an ISO time", element -> Instant.parse(Json.string(element)).toString());
        return new RunInfo(base, subject, method(), training(), json.get("numbers", "a whole number of at least 1", RunInfoJson::positive), created);
    }

    private MethodSettings method() throws Failure {
        try {
            return MethodSettings.parse(json.string("method"), settings());
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(json.source() + ": " + e.getMessage());
        }
    }

    /// The method's settings; runs made before these had an object of their own have atoms and rank beside the method.
    private Map<String, String> settings() throws Failure {
        if (!json.has("settings")) return Map.of("atoms", Integer.toString(json.integer("atoms", 1, Integer.MAX_VALUE)), "rank", Integer.toString(json.integer("rank", 1, Integer.MAX_VALUE)));
        Json given = json.object("settings");
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : given.object().keySet()) settings.put(setting, given.string(setting));
        return settings;
    }

    private RunInfo.Training training() throws Failure {
        int batch = json.integer("batch", 1, Integer.MAX_VALUE);
        try {
            if (format == FIRST_FORMAT) return new RunInfo.Training(RecipeJson.readFirst(json), batch, Recipe.OPEN);
            Recipe recipe = RecipeJson.read(json.object("recipe"));
            RunInfo.Training training = new RunInfo.Training(recipe, batch, json.integer("size", SMALLEST_SIDE, LARGEST_SIDE), json.has("prior") ? pictures("prior") : List.of());
            requireAgreement(training);
            return training;
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(json.source() + ": recipe: " + e.getMessage(), e);
        }
    }

    /// What the recipe leaves open is decided within bounds; the rest is as it says.
    private void requireAgreement(RunInfo.Training training) throws Failure {
        Recipe recipe = training.recipe();
        int batch = recipe.update().batch();
        if (batch == Recipe.OPEN && training.batch() > Tuning.LARGEST_BATCH) throw wrong("batch", "1 to " + Tuning.LARGEST_BATCH + ", as the recipe leaves it open", training.batch());
        if (batch != Recipe.OPEN && batch != training.batch()) throw wrong("batch", batch + " as in the recipe", training.batch());
        int size = recipe.material().size();
        if (size != Recipe.OPEN && size != training.size()) throw wrong("size", size + " as in the recipe", training.size());
        Optional<Recipe.Prior> prior = recipe.weighing().prior();
        boolean given = prior.isPresent() && !prior.get().made();
        if (given && training.prior().isEmpty()) throw wrong("prior", "the pictures of the class that the recipe names", "none");
        if (!given && !training.prior().isEmpty()) throw wrong("prior", "no pictures of the class, as the recipe names none", training.prior().size());
    }

    private List<RunInfo.Picture> pictures(String key) throws Failure {
        List<RunInfo.Picture> pictures = new ArrayList<>();
        for (Json each : json.objects(key)) {
            String mask = each.has("mask") ? each.get("mask", "a SHA-256", RunInfoJson::hash) : "";
            pictures.add(new RunInfo.Picture(each.get("name", "the name of a file", RunInfoJson::fileName), each.get("sha256", "a SHA-256", RunInfoJson::hash), mask,
                    each.has("captions") ? texts(each, "captions") : List.of(), each.has("repeats") ? each.integer("repeats", 1, MOST_REPEATS) : 1));
        }
        if (pictures.size() > MOST_PICTURES) throw wrong(key, "at most " + MOST_PICTURES, pictures.size());
        return List.copyOf(pictures);
    }

    private static String word(Json json, String key) throws Failure.Unreadable {
        return json.get(key, "a word", RunInfoJson::written);
    }

    private static List<String> texts(Json json, String key) throws Failure.Unreadable {
        return json.get(key, "a list of texts", element -> element.getAsJsonArray().asList().stream().map(RunInfoJson::written).toList());
    }

    private static String written(JsonElement element) {
        String text = Json.string(element);
        if (text.isBlank()) throw new IllegalArgumentException("empty");
        return text;
    }

    /// The run's own files lie beside each other: a name is no path.
    private static String fileName(JsonElement element) {
        String name = written(element);
        boolean path = name.contains("/") || name.contains("\\") || name.equals(".") || name.equals("..") || !Path.of(name).equals(Path.of(name).getFileName());
        if (path) throw new IllegalArgumentException("a path");
        return name;
    }

    private static String hash(JsonElement element) {
        String hash = Json.string(element);
        if (!hash.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("no hash");
        return hash;
    }

    private static long positive(JsonElement element) {
        long number = Json.integer(element);
        if (number < 1) throw new IllegalArgumentException("not positive");
        return number;
    }

    private Failure.Unreadable wrong(String key, String expected, Object found) {
        return new Failure.Unreadable(json.source() + ": " + key + ": expected " + expected + ", found " + SafeText.of(found));
    }
}
