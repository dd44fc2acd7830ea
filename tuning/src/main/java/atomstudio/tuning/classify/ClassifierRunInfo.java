package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A classifier's run, as in its `run.json`.
/// @param headLearningRate of the head, which every method trains
/// @param imageSize        in pixels
public record ClassifierRunInfo(Model model, Data data, MethodSettings method, TrainingConfig config,
        double headLearningRate, int imageSize) {
    /// @param hash SHA-256 of the weights
    public record Model(Path path, String name, String hash) {
        BaseModel toBaseModel() {
            return new BaseModel(name, hash);
        }
    }

    /// @param hash of the images that are trained on and validated with
    public record Data(Path path, ClassFolders.Split split, List<String> classes, String hash) {
        public Data {
            classes = List.copyOf(classes);
        }
    }

    static final String KIND = "classifier";
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();
    private static final int MAX_SIDE = 1 << 14;

    public int batchSize() {
        return config.optimizer().batchSize();
    }

    void write(Path file) throws Failure {
        JsonObject modelJson = new JsonObject();
        modelJson.addProperty("path", model.path.toString());
        modelJson.addProperty("name", model.name);
        modelJson.addProperty("hash", model.hash);
        JsonObject dataJson = new JsonObject();
        dataJson.addProperty("path", data.path.toString());
        dataJson.addProperty("split-seed", Long.toString(data.split.seed()));
        dataJson.addProperty("validation-share", data.split.validationShare());
        dataJson.addProperty("hash", data.hash);
        JsonArray classes = new JsonArray();
        data.classes.forEach(classes::add);
        dataJson.add("classes", classes);
        JsonObject settings = new JsonObject();
        method.entries().forEach(settings::addProperty);
        JsonObject json = new JsonObject();
        json.addProperty("kind", KIND);
        json.add("model", modelJson);
        json.add("data", dataJson);
        json.addProperty("method", method.name());
        json.add("settings", settings);
        json.add("recipe", TrainingConfigJson.write(config));
        json.addProperty("head-learning-rate", headLearningRate);
        json.addProperty("image-size", imageSize);
        AtomicFile.write(file, out -> out.write((GSON.toJson(json) + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    static ClassifierRunInfo read(Path file) throws Failure {
        Json json = Json.read(file);
        if (!json.find("kind", "a kind of run", Json::string).equals(Optional.of(KIND)))
            throw new Failure.Incompatible(file + ": expected the run of a classifier, found another; its commands are "
                    + "studio resume and studio generate");
        Json model = json.object("model"), data = json.object("data"), settings = json.object("settings");
        Map<String, String> entries = new LinkedHashMap<>();
        for (String key : settings.object().keySet()) entries.put(key, settings.string(key));
        List<String> classes = new ArrayList<>();
        for (JsonElement name : data.get("classes", "a list of names", JsonElement::getAsJsonArray))
            classes.add(Json.string(name));
        try {
            ClassFolders.Split split = new ClassFolders.Split(
                    data.get("split-seed", "a seed", seed -> Long.parseLong(Json.string(seed))),
                    data.number("validation-share"));
            return new ClassifierRunInfo(
                    new Model(model.get("path", "a path", Json::path), model.string("name"), model.string("hash")),
                    new Data(data.get("path", "a path", Json::path), split, classes, data.string("hash")),
                    MethodSettings.parse(json.string("method"), entries),
                    TrainingConfigJson.read(json.object("recipe")), json.number("head-learning-rate"),
                    json.integer("image-size", 1, MAX_SIDE));
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file + ": " + e.getMessage(), e);
        }
    }

    /// Checks that a request continues this run: only more steps, and other paths of model and data, are allowed.
    /// @throws Failure.Incompatible that names what differs
    void requireContinues(ClassifierRunInfo request, Path folder) throws Failure.Incompatible {
        List<String> differences = new ArrayList<>();
        compare(differences, "model", model.hash, request.model.hash);
        compare(differences, "classes", data.classes, request.data.classes);
        compare(differences, "images", data.hash, request.data.hash);
        compare(differences, "method", method.name() + " " + method.entries(),
                request.method.name() + " " + request.method.entries());
        compare(differences, "head-learning-rate", headLearningRate, request.headLearningRate);
        compare(differences, "image-size", imageSize, request.imageSize);
        Map<TrainingSetting, Object> here = TrainingConfigJson.values(config),
                there = TrainingConfigJson.values(request.config);
        for (TrainingSetting setting : TrainingSetting.values())
            if (setting != TrainingSetting.STEPS)
                compare(differences, setting.option(), here.get(setting), there.get(setting));
        if (request.config.schedule().steps() < config.schedule().steps())
            compare(differences, "steps", config.schedule().steps(), request.config.schedule().steps());
        if (!differences.isEmpty())
            throw new Failure.Incompatible(folder + ": holds a run with other settings, which cannot continue with "
                    + "these:\n  " + String.join("\n  ", differences)
                    + "\nUse the same settings, or choose another folder.");
    }

    private static void compare(List<String> differences, String name, Object here, Object there) {
        if (!here.equals(there)) differences.add(name + ": " + here + " here, " + there + " requested");
    }
}
