package atomstudio.app.runs;

import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.RunFolder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The training queue in a file, the current run first, so that it survives closing the window and a kill.
public final class QueueFile {
    private static final Logger log = LoggerFactory.getLogger(QueueFile.class);

    private final Path file;
    private final AtomicReference<List<RunSpec>> runs = new AtomicReference<>(List.of());

    public QueueFile(Path file) {
        this.file = file;
    }

    /// Sets what the next [#write] writes. Any thread.
    void set(List<RunSpec> now) {
        runs.set(List.copyOf(now));
    }

    /// For job threads. Writes may run out of order: each one writes the newest state.
    synchronized void write() throws Failure {
        JsonArray array = new JsonArray();
        runs.get().forEach(spec -> array.add(toJson(spec)));
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.add("runs", array);
        AtomicFile.write(file, out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// The runs that are not finished. A damaged file or entry is skipped. For job threads.
    List<RunSpec> read() {
        if (!Files.isRegularFile(file)) return List.of();
        List<RunSpec> found = new ArrayList<>();
        try {
            for (Json entry : Json.read(file).objects("runs")) {
                RunSpec spec = parse(entry);
                RunFolder folder = new RunFolder(spec.folder());
                if (!folder.exists() || folder.status() != RunFolder.Status.FINISHED) found.add(spec);
            }
        } catch (Failure | RuntimeException damaged) {
            log.warn("skipped entries of the training queue {}", file, damaged);
        }
        return found;
    }

    private static JsonObject toJson(RunSpec spec) {
        JsonObject json = new JsonObject();
        json.addProperty("subject", spec.subject());
        json.addProperty("model", spec.model().toString());
        json.addProperty("photos", spec.photos().toString());
        json.addProperty("class", spec.phrase().className());
        json.addProperty("token", spec.phrase().triggerWord());
        json.addProperty("folder", spec.folder().toString());
        json.addProperty("method", spec.choices().method().name());
        json.add("methodSettings", toJson(spec.choices().method().entries()));
        json.add("trainingSettings", toJson(spec.choices()
                .training()
                .chosen()
                .entrySet()
                .stream()
                .collect(Collectors.toMap(entry -> entry.getKey().option(), Map.Entry::getValue))));
        spec.choices().start().from().ifPresent(from -> json.addProperty("from", from.toString()));
        spec.choices().start().on().ifPresent(on -> {
            json.addProperty("on", on.file().toString());
            json.addProperty("onWeight", on.weight());
        });
        return json;
    }

    private static JsonObject toJson(Map<String, String> values) {
        JsonObject json = new JsonObject();
        values.forEach((name, value) -> json.add(name, new JsonPrimitive(value)));
        return json;
    }

    private static RunSpec parse(Json json) throws Failure {
        TrainingSettings training = TrainingSettings.DEFAULTS;
        for (Map.Entry<String, String> entry : strings(json.object("trainingSettings")).entrySet()) {
            Optional<TrainingSetting> setting = Stream.of(TrainingSetting.values())
                    .filter(each -> each.option().equals(entry.getKey()))
                    .findFirst();
            if (setting.isPresent()) training = training.with(setting.get(), entry.getValue());
        }
        MethodSettings method = MethodSettings.parse(json.string("method"), strings(json.object("methodSettings")));
        return new RunSpec(json.string("subject"), path(json, "model"), path(json, "photos"),
                new RunSpec.SubjectPhrase(json.string("class"), json.string("token")),
                new RunSpec.TrainingChoices(method, training, startFiles(json)), path(json, "folder"));
    }

    private static RunSpec.StartFiles startFiles(Json json) throws Failure {
        Optional<Path> on = json.find("on", "a path", Json::path);
        double weight = on.isEmpty() ? 1 : json.number("onWeight");
        return new RunSpec.StartFiles(json.find("from", "a path", Json::path),
                on.map(file -> new RunSpec.StartFiles.MergedFile(file, weight)));
    }

    private static Path path(Json json, String key) throws Failure {
        return json.get(key, "a path", Json::path);
    }

    private static Map<String, String> strings(Json json) {
        Map<String, String> values = new HashMap<>();
        for (Map.Entry<String, JsonElement> entry : json.object().entrySet())
            values.put(entry.getKey(), Json.string(entry.getValue()));
        return values;
    }
}
