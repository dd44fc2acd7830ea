package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingConfigJson;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// What a run tunes: `run.json`, written once before the first step.
/// @param parameterCount numbers tuned
/// @param created ISO time
public record RunInfo(BaseModelInfo baseModel, SubjectInfo subject, MethodSettings method, ResolvedConfig config,
        long parameterCount, String created) {
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /// The model that is tuned; `hash` names the weights that are trained on, as in `BaseModelHashes`.
    /// @param modelChoices what the person said of the model, without places to look for a tokenizer: these are the
    ///     machine's
    public record BaseModelInfo(Path path, String name, String hash, ModelLoadOptions modelChoices) {
        public BaseModelInfo {
            modelChoices = modelChoices.withTokenizerFolders(List.of());
        }

        /// A model that nothing more was said of.
        public BaseModelInfo(Path path, String name, String hash) {
            this(path, name, hash, ModelLoadOptions.defaults());
        }

        /// To be opened on a machine that looks for tokenizers in these places.
        public ModelReference model(List<Path> vocabularies) {
            return new ModelReference(path, modelChoices.withTokenizerFolders(vocabularies));
        }
    }

    /// The pictures and the words for what they show.
    public record SubjectInfo(String className, String token, List<PhotoInfo> photos, List<String> defaultCaptions) {
        /// As they stand in a prompt.
        public String phrase() {
            return token + " " + className;
        }
    }

    /// A prepared picture in the run's folder `pictures`, and SHA-256 of its pixels; `mask` is that of its mask in
    /// the folder `masks`, empty without one; `captions` are its own, none where the subject's hold; `repeats` says
    /// how often it is drawn beside the others.
    public record PhotoInfo(String fileName, String sha256, String maskSha256, List<String> captions, int repeats) {
        public PhotoInfo {
            captions = List.copyOf(captions);
        }

        /// Drawn as often as any other.
        public PhotoInfo(String name, String sha256, String mask, List<String> captions) {
            this(name, sha256, mask, captions, 1);
        }
    }

    /// @param batchSize pictures a pass, and
    /// @param sideLength  side of a square picture in pixels: what the recipe leaves open is decided here
    /// @param classImages prepared pictures of the class in the run's folder `prior`; none where the base model makes
    ///     them
    public record ResolvedConfig(TrainingConfig requested, int batchSize, int sideLength, List<PhotoInfo> classImages) {
        /// Of a run without given pictures of the class.
        public ResolvedConfig(TrainingConfig recipe, int batch, int size) {
            this(recipe, batch, size, List.of());
        }

        public int steps() {
            return requested.schedule().steps();
        }

        public double learningRate() {
            return requested.schedule().learningRate();
        }

        public long seed() {
            return requested.schedule().seed();
        }

        public int previewEvery() {
            return requested.runtime().previewEvery();
        }

        ResolvedConfig withSteps(int steps) {
            return new ResolvedConfig(requested.with(requested.schedule().withSteps(steps)), batchSize, sideLength,
                    classImages);
        }
    }

    public static RunInfo read(Path file) throws Failure {
        return RunInfoJson.read(file);
    }

    public void write(Path file) throws Failure {
        JsonObject model = new JsonObject();
        model.addProperty("path", baseModel.path.toString());
        model.addProperty("name", baseModel.name);
        model.addProperty("hash", baseModel.hash);
        RunInfoJson.ModelChoicesJson.write(baseModel.modelChoices, model);
        JsonObject json = new JsonObject();
        json.addProperty("format", RunInfoJson.FORMAT);
        json.add("model", model);
        json.addProperty("class", subject.className);
        json.addProperty("token", subject.token);
        json.addProperty("method", method.name());
        JsonObject settings = new JsonObject();
        method.entries().forEach(settings::addProperty);
        json.add("settings", settings);
        json.add("recipe", TrainingConfigJson.write(config.requested));
        json.addProperty("batch", config.batchSize);
        json.addProperty("size", config.sideLength);
        json.add("pictures", array(subject.photos, RunInfo::json));
        if (!config.classImages.isEmpty()) json.add("prior", array(config.classImages, RunInfo::json));
        json.add("captions", array(subject.defaultCaptions, JsonPrimitive::new));
        json.addProperty("numbers", parameterCount);
        json.addProperty("created", created);
        AtomicFile.write(file, out -> out.write((GSON.toJson(json) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static JsonElement json(PhotoInfo photo) {
        JsonObject json = new JsonObject();
        json.addProperty("name", photo.fileName);
        json.addProperty("sha256", photo.sha256);
        if (!photo.maskSha256.isEmpty()) json.addProperty("mask", photo.maskSha256);
        if (!photo.captions.isEmpty()) json.add("captions", array(photo.captions, JsonPrimitive::new));
        if (photo.repeats != 1) json.addProperty("repeats", photo.repeats);
        return json;
    }

    private static <T> JsonArray array(List<T> values, Function<T, JsonElement> toJson) {
        JsonArray array = new JsonArray();
        values.forEach(value -> array.add(toJson.apply(value)));
        return array;
    }

    /// Checks that an adapter or checkpoint in the run's folder is what this run made.
    /// @throws Failure.Unreadable that names what differs
    void requireBelongs(AdapterFile adapter, Path file) throws Failure.Unreadable {
        List<String> mismatches = new ArrayList<>();
        addMismatch(mismatches, "model: hash", baseModel.hash, adapter.base().hash());
        addMismatch(mismatches, "class", subject.className, adapter.trigger().className());
        addMismatch(mismatches, "token", subject.token, adapter.trigger().token());
        addMismatch(mismatches, "method", method.name() + " " + method.entries(),
                adapter.method().name() + " " + adapter.method().entries());
        addMismatch(mismatches, "recipe: rate", config.learningRate(), adapter.training().learningRate());
        addMismatch(mismatches, "recipe: seed", Seed.format(config.seed()), Seed.format(adapter.training().seed()));
        if (adapter.training().steps() > config.steps())
            mismatches.add("recipe: steps: " + config.steps() + " here, " + adapter.training().steps() + " there");
        if (!mismatches.isEmpty()) {
            throw new Failure.Unreadable(file.resolveSibling("run.json") + ": expected the description of the run that "
                    + file.getFileName() + " belongs to, found another:\n  "
                    + String.join("\n  ", mismatches) + "\nPut the run's own file back, or start a new run.");
        }
    }

    private static void addMismatch(List<String> mismatches, String key, Object here, Object there) {
        if (!here.equals(there))
            mismatches.add(key + ": " + SafeText.of(here) + " here, " + SafeText.of(there) + " there");
    }

    /// This run with what is asked of it now: nothing but more steps may differ (and where the model lies).
    /// @throws Failure.Incompatible that names every setting that differs
    public RunInfo extendedTo(RunInfo request, Path folder) throws Failure {
        List<String> differences = new ArrayList<>();
        addDifference(differences, "model", baseModel.name + " " + baseModel.hash,
                request.baseModel.name + " " + request.baseModel.hash);
        addDifference(differences, "prediction", baseModel.modelChoices.predictionType(),
                request.baseModel.modelChoices.predictionType());
        addDifference(differences, "vae", baseModel.modelChoices.vae(), request.baseModel.modelChoices.vae());
        addDifference(differences, "class", subject.className, request.subject.className);
        addDifference(differences, "token", subject.token, request.subject.token);
        addDifference(differences, "pictures", photoSummary(subject.photos), photoSummary(request.subject.photos));
        addDifference(differences, "pictures of the class", photoSummary(config.classImages),
                photoSummary(request.config.classImages));
        addDifference(differences, "captions beside pictures", sortedCaptions(subject.photos),
                sortedCaptions(request.subject.photos));
        addDifference(differences, "captions beside pictures of the class", sortedCaptions(config.classImages),
                sortedCaptions(request.config.classImages));
        addDifference(differences, "method", method.name(), request.method.name());
        if (method.choice() == request.method.choice())
            addSettingDifferences(differences, method.entries(), request.method.entries());
        addDifference(differences, request);
        if (!differences.isEmpty()) {
            throw new Failure.Incompatible(
                    folder + ": holds a run with other settings, so it cannot go on with these:\n  "
                            + String.join("\n  ", differences) + "\nAsk for the same ones, or choose another --out.");
        }
        return new RunInfo(
                new BaseModelInfo(request.baseModel.path, baseModel.name, baseModel.hash,
                        request.baseModel.modelChoices),
                subject, method, config.withSteps(request.config.steps()), parameterCount, created);
    }

    /// The recipe's settings by their options' names. What both leave open is as the run has it; more steps may be
    /// asked for where the rate does not depend on their number.
    private void addDifference(List<String> differences, RunInfo requestedValue) {
        Map<String, Object> here = TrainingConfigJson.settings(config.requested);
        Map<String, Object> there = TrainingConfigJson.settings(requestedValue.config.requested);
        for (String name : List.of("batch", "size")) {
            if (here.get(name).equals(there.get(name))) continue;
            here.put(name, name.equals("batch") ? config.batchSize : config.sideLength);
            there.put(name, name.equals("batch") ? requestedValue.config.batchSize : requestedValue.config.sideLength);
        }
        int steps = config.steps();
        int requestedSteps = requestedValue.config.steps();
        here.remove("steps");
        if (!config.classImages.isEmpty() && !requestedValue.config.classImages.isEmpty()) here.remove("prior");
        if (config.requested.schedule().decay() == TrainingConfig.LearningRateDecay.COSINE)
            addDifference(differences,
                    "steps (the rate falls towards the last one, so that the run was made for this many; --decay constant lets them grow)",
                    steps, requestedSteps);
        else
            if (requestedSteps < steps)
                addDifference(differences, "steps (more can be asked for, fewer cannot)", steps, requestedSteps);
        here.forEach((name, value) -> addDifference(differences, name, value, there.get(name)));
    }

    private static void addSettingDifferences(List<String> differences, Map<String, String> here,
            Map<String, String> requestedValues) {
        Set<String> settings = new LinkedHashSet<>(here.keySet());
        settings.addAll(requestedValues.keySet());
        for (String setting : settings)
            addDifference(differences, setting, here.getOrDefault(setting, "none"),
                    requestedValues.getOrDefault(setting, "none"));
    }

    private static void addDifference(List<String> differences, String setting, Object here, Object requestedValue) {
        if (!here.equals(requestedValue))
            differences.add(setting + ": the run has " + here + ", asked for is " + requestedValue);
    }

    private static List<String> sortedCaptions(List<PhotoInfo> photos) {
        return photos.stream().flatMap(photo -> photo.captions.stream()).sorted().toList();
    }

    /// What the pictures show, whatever their names and order.
    private static String photoSummary(List<PhotoInfo> photos) {
        List<String> hashes = photos.stream()
                .map(photo -> photo.sha256.substring(0, 10)
                        + (photo.maskSha256.isEmpty() ? "" : " masked " + photo.maskSha256.substring(0, 10))
                        + (photo.repeats == 1 ? "" : " repeated " + photo.repeats))
                .sorted()
                .toList();
        return hashes.size() + " (" + String.join(" ", hashes) + ")";
    }
}
