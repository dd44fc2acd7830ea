package atomstudio.app.settings;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Settings in a JSON file, written atomically. A damaged file is treated as missing.
public final class SettingsFile implements SettingsStore {
    private static final Logger log = LoggerFactory.getLogger(SettingsFile.class);

    private final Path file;
    private final Executor writer;
    private final AtomicReference<AppSettings> settings;
    /// Held while the disk writes; the window's thread never waits for it.
    private final Object writing = new Object();

    /// @param writer runs the write operations, because the disk may be slow
    public SettingsFile(Path file, Executor writer) {
        this.file = file;
        this.writer = writer;
        this.settings = new AtomicReference<>(read(file));
    }

    @Override
    public AppSettings get() {
        return settings.get();
    }

    @Override
    public void update(UnaryOperator<AppSettings> change) {
        settings.updateAndGet(change);
        writer.execute(this::write);
    }

    /// Writes may run out of order: each one writes the newest state.
    private void write() {
        synchronized (writing) {
            try {
                byte[] text = toJson(settings.get()).getBytes(StandardCharsets.UTF_8);
                AtomicFile.write(file, out -> out.write(text));
            } catch (Failure e) {
                log.warn("settings could not be written to {}", file, e);
            }
        }
    }

    private static String toJson(AppSettings settings) {
        JsonObject json = new JsonObject();
        json.addProperty("theme", settings.theme().option());
        settings.model().ifPresent(model -> json.addProperty("model", model.toString()));
        JsonArray models = new JsonArray();
        settings.otherModels().forEach(model -> models.add(model.toString()));
        json.add("models", models);
        AppSettings.GenerationPreferences generation = settings.generation();
        generation.previewDecoder().ifPresent(preview -> json.addProperty("preview", preview.toString()));
        if (generation.safetyFilter() == SafetyFilter.OFF) json.addProperty("safety", "off");
        if (generation.engine() != EngineName.AUTO) json.addProperty("engine", generation.engine().option());
        if (!generation.device().equals(DeviceSelection.AUTO)) json.addProperty("device", generation.device());
        if (settings.sharingRule() != AppSettings.SharingRule.PAUSE_RUN)
            json.addProperty("imagesDuringTraining", settings.sharingRule().option());
        return json + "\n";
    }

    private static AppSettings read(Path file) {
        if (!Files.isRegularFile(file)) return AppSettings.defaults();
        try {
            Json json = Json.read(file);
            AppSettings.Theme theme = AppSettings.Theme.ofOption(string(json, "theme"));
            Optional<Path> model = json.find("model", "a path", Json::path);
            List<Path> models = json.find("models", "a list of paths",
                    paths -> paths.getAsJsonArray().asList().stream().map(Json::path).toList()).orElse(List.of());
            Optional<Path> previewDecoder = json.find("preview", "a path", Json::path);
            SafetyFilter safetyFilter = string(json, "safety").equals("off") ? SafetyFilter.OFF : SafetyFilter.ON;
            EngineName engine = EngineName.ofOption(string(json, "engine")).orElse(EngineName.AUTO);
            AppSettings.SharingRule sharingRule = AppSettings.SharingRule.ofOption(string(json, "imagesDuringTraining"))
                    .orElse(AppSettings.SharingRule.PAUSE_RUN);
            String device = json.find("device", "a string", Json::string).orElse(DeviceSelection.AUTO);
            return new AppSettings(theme, model, models,
                    new AppSettings.GenerationPreferences(previewDecoder, safetyFilter, engine, device), sharingRule);
        } catch (Failure e) {
            log.warn("ignored unreadable settings in {}", file, e);
            return AppSettings.defaults();
        }
    }

    private static String string(Json json, String key) throws Failure {
        return json.find(key, "a string", Json::string).orElse("");
    }
}
