package atomstudio.app.runs;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A name and a note that a person gave a run: `label.json` in its folder, which only the window reads.
/// @param name empty: the run's method
public record RunLabel(String name, String note) {
    public static final RunLabel NONE = new RunLabel("", "");
    private static final String FILE = "label.json";

    /// Of a run's folder; a file that cannot be read is as none.
    static RunLabel read(Path run) {
        Path file = run.resolve(FILE);
        if (!Files.isRegularFile(file)) return NONE;
        try {
            Json json = Json.read(file);
            return new RunLabel(json.string("name"), json.string("note"));
        } catch (Failure damaged) {
            return NONE;
        }
    }

    void write(Path run) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("name", name);
        json.addProperty("note", note);
        AtomicFile.write(run.resolve(FILE), out -> out.write((json + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
