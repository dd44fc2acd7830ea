package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingConfigJson;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.TrainingService;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads `run.json`. Nothing in it is taken on trust: numbers have bounds, names of pictures stay within their
/// folder, and what is told twice is told alike.
final class RunInfoJson {
    static final int FORMAT = 2;
    /// A latent pixel of published models is as many pixels.
    private static final int MIN_SIDE = 8;
    private static final int MAX_SIDE = 1 << 14;
    private static final int MAX_PHOTOS = 1 << 14;
    private static final int MAX_REPEATS = 1000;

    private final Json json;

    private RunInfoJson(Json json) {
        this.json = json;
    }

    /// @throws Failure.Unreadable that names the key whose value cannot be
    /// @throws Failure.Incompatible when another version wrote it
    static RunInfo read(Path file) throws Failure {
        Json json = Json.read(file);
        long format = json.integer("format");
        if (format != FORMAT) {
            throw new Failure.Incompatible(
                    file + ": expected a run of format " + FORMAT + ", found " + format + "; open it with "
                            + (format < FORMAT ? "the version that made it" : "a newer version"));
        }
        return new RunInfoJson(json).info();
    }

    private RunInfo info() throws Failure {
        Json model = json.object("model");
        RunInfo.BaseModelInfo base = new RunInfo.BaseModelInfo(model.get("path", "a path", Json::path),
                model.string("name"), model.string("hash"), ModelChoicesJson.choices(model));
        RunInfo.SubjectInfo subject = new RunInfo.SubjectInfo(nonBlankText(json, "class"), nonBlankText(json, "token"),
                photos("pictures"), texts(json, "captions"));
        if (subject.photos().isEmpty()) throw invalid("pictures", "at least one picture", "none");
        if (subject.defaultCaptions().isEmpty()) throw invalid("captions", "at least one caption", "none");
        String created = json.get("created", "an ISO time", element -> Instant.parse(Json.string(element)).toString());
        return new RunInfo(base, subject, method(), resolvedConfig(),
                json.get("numbers", "a whole number of at least 1", RunInfoJson::positive), created);
    }

    private MethodSettings method() throws Failure {
        try {
            return MethodSettings.parse(json.string("method"), settings());
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(json.source() + ": " + e.getMessage());
        }
    }

    private Map<String, String> settings() throws Failure {
        Json given = json.object("settings");
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : given.object().keySet()) settings.put(setting, given.string(setting));
        return settings;
    }

    private RunInfo.ResolvedConfig resolvedConfig() throws Failure {
        int batch = json.integer("batch", 1, Integer.MAX_VALUE);
        try {
            TrainingConfig config = TrainingConfigJson.read(json.object("recipe"));
            RunInfo.ResolvedConfig resolved = new RunInfo.ResolvedConfig(config, batch,
                    json.integer("size", MIN_SIDE, MAX_SIDE), json.has("prior") ? photos("prior") : List.of());
            requireConsistent(resolved);
            return resolved;
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(json.source() + ": recipe: " + e.getMessage(), e);
        }
    }

    /// What the recipe leaves open is decided within bounds; the rest is as it says.
    private void requireConsistent(RunInfo.ResolvedConfig resolved) throws Failure {
        TrainingConfig config = resolved.requested();
        int batch = config.optimizer().batchSize();
        if (batch == TrainingConfig.UNSET && resolved.batchSize() > TrainingService.MAX_DEFAULT_BATCH)
            throw invalid("batch", "1 to " + TrainingService.MAX_DEFAULT_BATCH + ", as the recipe leaves it open",
                    resolved.batchSize());
        if (batch != TrainingConfig.UNSET && batch != resolved.batchSize())
            throw invalid("batch", batch + " as in the recipe", resolved.batchSize());
        int size = config.data().size();
        if (size != TrainingConfig.UNSET && size != resolved.sideLength())
            throw invalid("size", size + " as in the recipe", resolved.sideLength());
        Optional<TrainingConfig.PriorPreservation> prior = config.loss().priorPreservation();
        boolean hasGivenImages = prior.isPresent() && !prior.get().isGenerated();
        if (hasGivenImages && resolved.classImages().isEmpty())
            throw invalid("prior", "the pictures of the class that the recipe names", "none");
        if (!hasGivenImages && !resolved.classImages().isEmpty())
            throw invalid("prior", "no pictures of the class, as the recipe names none", resolved.classImages().size());
    }

    private List<RunInfo.PhotoInfo> photos(String key) throws Failure {
        List<RunInfo.PhotoInfo> photos = new ArrayList<>();
        for (Json each : json.objects(key)) {
            String mask = each.has("mask") ? each.get("mask", "a SHA-256", RunInfoJson::sha256) : "";
            photos.add(new RunInfo.PhotoInfo(each.get("name", "the name of a file", RunInfoJson::fileName),
                    each.get("sha256", "a SHA-256", RunInfoJson::sha256), mask,
                    each.has("captions") ? texts(each, "captions") : List.of(),
                    each.has("repeats") ? each.integer("repeats", 1, MAX_REPEATS) : 1));
        }
        if (photos.size() > MAX_PHOTOS) throw invalid(key, "at most " + MAX_PHOTOS, photos.size());
        return List.copyOf(photos);
    }

    private static String nonBlankText(Json json, String key) throws Failure.Unreadable {
        return json.get(key, "a word", RunInfoJson::requireText);
    }

    private static List<String> texts(Json json, String key) throws Failure.Unreadable {
        return json.get(key, "a list of texts",
                element -> element.getAsJsonArray().asList().stream().map(RunInfoJson::requireText).toList());
    }

    private static String requireText(JsonElement element) {
        String text = Json.string(element);
        if (text.isBlank()) throw new IllegalArgumentException("empty");
        return text;
    }

    /// The run's own files lie beside each other: a name is no path.
    private static String fileName(JsonElement element) {
        String name = requireText(element);
        boolean path = name.contains("/") || name.contains("\\") || name.equals(".") || name.equals("..")
                || !Path.of(name).equals(Path.of(name).getFileName());
        if (path) throw new IllegalArgumentException("a path");
        return name;
    }

    private static String sha256(JsonElement element) {
        String hash = Json.string(element);
        if (!hash.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("no hash");
        return hash;
    }

    private static long positive(JsonElement element) {
        long number = Json.integer(element);
        if (number < 1) throw new IllegalArgumentException("not positive");
        return number;
    }

    private Failure.Unreadable invalid(String key, String expected, Object found) {
        return new Failure.Unreadable(
                json.source() + ": " + key + ": expected " + expected + ", found " + SafeText.of(found));
    }

    /// What a person said of a run's base model, in its description; keys that nothing was said of are not written.
    static final class ModelChoicesJson {
        private static final String PREDICTION = "prediction";
        private static final String VAE = "vae";
        private static final String TOKENIZER = "tokenizer";

        private ModelChoicesJson() {}

        static ModelLoadOptions choices(Json model) throws Failure.Unreadable {
            return new ModelLoadOptions(prediction(model), path(model, VAE), path(model, TOKENIZER), List.of());
        }

        private static Optional<PredictionType> prediction(Json model) throws Failure.Unreadable {
            if (!model.has(PREDICTION)) return Optional.empty();
            return Optional.of(model.get(PREDICTION, "epsilon, v or sample",
                    e -> PredictionType.ofOption(Json.string(e)).orElseThrow()));
        }

        private static Optional<Path> path(Json model, String key) throws Failure.Unreadable {
            return model.find(key, "a path", Json::path);
        }

        static void write(ModelLoadOptions choices, JsonObject model) {
            choices.predictionType().ifPresent(prediction -> model.addProperty(PREDICTION, prediction.option()));
            choices.vae().ifPresent(path -> model.addProperty(VAE, path.toAbsolutePath().normalize().toString()));
            choices.tokenizer()
                    .ifPresent(path -> model.addProperty(TOKENIZER, path.toAbsolutePath().normalize().toString()));
        }
    }
}
