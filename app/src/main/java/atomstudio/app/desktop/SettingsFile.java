package atomstudio.app.desktop;

import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.Safety;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Settings in a JSON file, written beside and moved. A damaged file counts as none: the settings are conveniences.
public final class SettingsFile implements SettingsStore {
    private static final Logger log = LoggerFactory.getLogger(SettingsFile.class);

    private final Path file;
    private final Executor writer;
    private Settings settings;

    /// @param writer runs the writing: the disk may be slow
    public SettingsFile(Path file, Executor writer) {
        this.file = file;
        this.writer = writer;
        this.settings = read(file);
    }

    @Override public synchronized Settings get() {
        return settings;
    }

    @Override public synchronized void change(UnaryOperator<Settings> change) {
        settings = change.apply(settings);
        writer.execute(this::write);
    }

    private synchronized void write() {
        try {
            byte[] text = json(settings).getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(file, out -> out.write(text));
        } catch (Failure e) {
            log.warn("settings could not be written to {}", file, e);
        }
    }

    private static String json(Settings settings) {
        JsonObject json = new JsonObject();
        json.addProperty("theme", settings.theme() == Settings.Theme.DARK ? "dark" : "light");
        settings.model().ifPresent(model -> json.addProperty("model", model.toString()));
        JsonArray models = new JsonArray();
        settings.models().forEach(model -> models.add(model.toString()));
        json.add("models", models);
        Settings.Pictures pictures = settings.pictures();
        pictures.preview().ifPresent(preview -> json.addProperty("preview", preview.toString()));
        if (pictures.safety() == Safety.OFF) json.addProperty("safety", "off");
        if (pictures.engine() != EngineName.AUTO) json.addProperty("engine", pictures.engine().option());
        return json + "\n";
    }

    private static Settings read(Path file) {
        if (!Files.isRegularFile(file)) return Settings.initial();
        try {
            JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            Settings.Theme theme = json.has("theme") && json.get("theme").getAsString().equals("dark") ? Settings.Theme.DARK : Settings.Theme.LIGHT;
            Optional<Path> model = Optional.ofNullable(json.get("model")).map(JsonElement::getAsString).map(Path::of);
            List<Path> models = new ArrayList<>();
            if (json.has("models")) json.getAsJsonArray("models").forEach(path -> models.add(Path.of(path.getAsString())));
            Optional<Path> preview = Optional.ofNullable(json.get("preview")).map(JsonElement::getAsString).map(Path::of);
            Safety safety = json.has("safety") && json.get("safety").getAsString().equals("off") ? Safety.OFF : Safety.ON;
            EngineName engine = Optional.ofNullable(json.get("engine")).map(JsonElement::getAsString).flatMap(EngineName::ofOption).orElse(EngineName.AUTO);
            return new Settings(theme, model, models, new Settings.Pictures(preview, safety, engine));
        } catch (IOException | JsonParseException | IllegalStateException | ClassCastException | InvalidPathException | UnsupportedOperationException e) {
            log.warn("settings in {} are not readable and were passed over", file, e);
            return Settings.initial();
        }
    }
}
