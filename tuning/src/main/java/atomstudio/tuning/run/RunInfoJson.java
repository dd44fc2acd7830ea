package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingConfigJson;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Reads and writes `run.json`. Everything read is validated: numbers have bounds, file names stay within their
/// folder, and values that are there twice must agree.
final class RunInfoJson {
    private static final int FORMAT = 2;
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();
    /// Pixels per latent pixel of the published models.
    private static final int MIN_SIDE = 8;
    private static final int MAX_SIDE = 1 << 14;
    private static final int MAX_PHOTOS = 1 << 14;
    private static final int MAX_REPEATS = 1000;
    /// The adapter that the run continues.
    private static final String CONTINUED = "from";
    /// The adapter that is merged into the model.
    private static final String MERGED = "on";

    private final Json json;

    private RunInfoJson(Json json) {
        this.json = json;
    }

    static void write(RunInfo run, Path file) throws Failure {
        JsonObject model = new JsonObject();
        model.addProperty("path", run.baseModel().path().toString());
        model.addProperty("name", run.baseModel().name());
        model.addProperty("hash", run.baseModel().hash());
        ModelOptionsJson.write(run.baseModel().options(), model);
        run.baseModel().merged().ifPresent(merged -> {
            JsonObject adapter = adapterFile(merged.fileName(), merged.sha256());
            adapter.addProperty("weight", merged.weight());
            model.add(MERGED, adapter);
        });
        JsonObject json = new JsonObject();
        json.addProperty("format", FORMAT);
        json.add("model", model);
        json.addProperty("class", run.subject().className());
        json.addProperty("token", run.subject().token());
        json.addProperty("method", run.method().name());
        JsonObject settings = new JsonObject();
        run.method().entries().forEach(settings::addProperty);
        json.add("settings", settings);
        RunInfo.ResolvedConfig config = run.config();
        json.add("recipe", TrainingConfigJson.write(config.requested()));
        json.addProperty(TrainingSetting.BATCH_SIZE.option(), config.batchSize());
        json.addProperty(TrainingSetting.RESOLUTION.option(), config.resolution());
        json.add("pictures", array(run.subject().photos(), RunInfoJson::json));
        if (!config.classImages().isEmpty())
            json.add(TrainingSetting.CLASS_IMAGES.option(), array(config.classImages(), RunInfoJson::json));
        json.add("captions", array(run.subject().defaultCaptions(), JsonPrimitive::new));
        json.addProperty("numbers", run.parameterCount());
        json.addProperty("created", run.created());
        run.continued().ifPresent(from -> json.add(CONTINUED, adapterFile(from.fileName(), from.sha256())));
        AtomicFile.write(file, out -> out.write((GSON.toJson(json) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static JsonObject adapterFile(String fileName, String sha256) {
        JsonObject json = new JsonObject();
        json.addProperty("file", fileName);
        json.addProperty("sha256", sha256);
        return json;
    }

    private static JsonElement json(RunInfo.PhotoInfo photo) {
        JsonObject json = new JsonObject();
        json.addProperty("name", photo.fileName());
        json.addProperty("sha256", photo.sha256());
        if (!photo.maskSha256().isEmpty()) json.addProperty("mask", photo.maskSha256());
        if (!photo.captions().isEmpty()) json.add("captions", array(photo.captions(), JsonPrimitive::new));
        if (photo.repeats() != 1) json.addProperty("repeats", photo.repeats());
        return json;
    }

    private static <T> JsonArray array(List<T> values, Function<T, JsonElement> toJson) {
        JsonArray array = new JsonArray();
        values.forEach(value -> array.add(toJson.apply(value)));
        return array;
    }

    static RunInfo read(Path file) throws Failure {
        Json json = Json.read(file);
        if (json.has("kind"))
            throw new Failure.Incompatible(file + ": expected a run on photos of a subject, found that of a "
                    + SafeText.of(json.string("kind")) + "; its commands are those of studio classify");
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
                model.string("name"), model.string("hash"), ModelOptionsJson.read(model), merged(model));
        RunInfo.SubjectInfo subject = new RunInfo.SubjectInfo(nonBlankText(json, "class"), nonBlankText(json, "token"),
                photos("pictures"), texts(json, "captions"));
        if (subject.photos().isEmpty()) throw invalid("pictures", "at least one photo", "none");
        if (subject.defaultCaptions().isEmpty()) throw invalid("captions", "at least one caption", "none");
        String created = json.get("created", "an ISO time", element -> Instant.parse(Json.string(element)).toString());
        return new RunInfo(base, subject, method(), resolvedConfig(),
                json.get("numbers", "a whole number of at least 1", RunInfoJson::positive), created, continued());
    }

    private Optional<RunInfo.ContinuedAdapter> continued() throws Failure.Unreadable {
        if (!json.has(CONTINUED)) return Optional.empty();
        Json from = json.object(CONTINUED);
        return Optional.of(new RunInfo.ContinuedAdapter(from.get("file", "the name of a file", RunInfoJson::fileName),
                from.get("sha256", "a SHA-256", RunInfoJson::sha256)));
    }

    private static Optional<BaseModel.MergedAdapter> merged(Json model) throws Failure.Unreadable {
        if (!model.has(MERGED)) return Optional.empty();
        Json adapter = model.object(MERGED);
        return Optional.of(new BaseModel.MergedAdapter(
                adapter.get("file", "the name of a file", RunInfoJson::fileName),
                adapter.get("sha256", "a SHA-256", RunInfoJson::sha256),
                adapter.get("weight", "a weight of -10 to 10", RunInfoJson::weight)));
    }

    private static double weight(JsonElement element) {
        double weight = element.getAsDouble();
        if (!WeightedAdapter.isValidWeight(weight)) throw new IllegalArgumentException("out of range");
        return weight;
    }

    private MethodSettings method() throws Failure {
        try {
            return MethodSettings.parse(json.string("method"), settings());
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(json.source() + ": " + e.getMessage());
        }
    }

    private Map<String, String> settings() throws Failure {
        Json stored = json.object("settings");
        Map<String, String> settings = new LinkedHashMap<>();
        for (String setting : stored.object().keySet()) settings.put(setting, stored.string(setting));
        return settings;
    }

    private RunInfo.ResolvedConfig resolvedConfig() throws Failure {
        int batchSize = json.integer(key(TrainingSetting.BATCH_SIZE), 1, Integer.MAX_VALUE);
        String classImages = key(TrainingSetting.CLASS_IMAGES);
        try {
            TrainingConfig config = TrainingConfigJson.read(json.object("recipe"));
            RunInfo.ResolvedConfig resolved = new RunInfo.ResolvedConfig(config, batchSize,
                    json.integer(key(TrainingSetting.RESOLUTION), MIN_SIDE, MAX_SIDE),
                    json.has(classImages) ? photos(classImages) : List.of());
            requireConsistent(resolved);
            return resolved;
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(json.source() + ": recipe: " + e.getMessage(), e);
        }
    }

    private String key(TrainingSetting setting) throws Failure.Unreadable {
        return TrainingConfigJson.key(json, setting);
    }

    /// Values that the config leaves open have bounds; the others must equal the config's.
    private void requireConsistent(RunInfo.ResolvedConfig resolved) throws Failure {
        TrainingConfig config = resolved.requested();
        int batchSize = config.optimizer().batchSize(), maxDefault = RunInfo.ResolvedConfig.MAX_DEFAULT_BATCH_SIZE;
        if (batchSize == TrainingConfig.UNSET && resolved.batchSize() > maxDefault)
            throw invalid(key(TrainingSetting.BATCH_SIZE), "1 to " + maxDefault + ", since the recipe leaves it open",
                    resolved.batchSize());
        if (batchSize != TrainingConfig.UNSET && batchSize != resolved.batchSize())
            throw invalid(key(TrainingSetting.BATCH_SIZE), batchSize + " as in the recipe", resolved.batchSize());
        int resolution = config.data().resolution();
        if (resolution != TrainingConfig.UNSET && resolution != resolved.resolution())
            throw invalid(key(TrainingSetting.RESOLUTION), resolution + " as in the recipe", resolved.resolution());
        Optional<TrainingConfig.PriorPreservation> prior = config.loss().priorPreservation();
        boolean usesGivenImages = prior.isPresent() && !prior.get().isGenerated();
        if (usesGivenImages && resolved.classImages().isEmpty())
            throw invalid(key(TrainingSetting.CLASS_IMAGES), "the class images of the recipe", "none");
        if (!usesGivenImages && !resolved.classImages().isEmpty())
            throw invalid(key(TrainingSetting.CLASS_IMAGES), "no class images, since the recipe has none",
                    resolved.classImages().size());
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

    /// A file name without a path, so that it cannot leave the run's folder.
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

    /// The user's options of the base model; options that were not given are not written.
    private static final class ModelOptionsJson {
        private static final String PREDICTION = "prediction";
        private static final String VAE = "vae";
        private static final String TOKENIZER = "tokenizer";

        private ModelOptionsJson() {}

        static ModelLoadOptions read(Json model) throws Failure.Unreadable {
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

        static void write(ModelLoadOptions options, JsonObject model) {
            options.predictionType().ifPresent(prediction -> model.addProperty(PREDICTION, prediction.option()));
            options.vae().ifPresent(path -> model.addProperty(VAE, path.toAbsolutePath().normalize().toString()));
            options.tokenizer()
                    .ifPresent(path -> model.addProperty(TOKENIZER, path.toAbsolutePath().normalize().toString()));
        }
    }
}
