package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/// The measurements of all devices, in a JSON file.
record MeasurementFile(Path file) {
    /// A damaged file counts as missing: measuring again replaces it.
    List<Measurement> read() {
        if (!Files.isRegularFile(file)) return List.of();
        try {
            List<Measurement> measurements = new ArrayList<>();
            for (Json entry : Json.read(file).objects("measurements")) measurements.add(Measurement.read(entry));
            return measurements;
        } catch (Failure damaged) {
            LoggerFactory.getLogger(MeasurementFile.class).warn("ignored the measurements in {}", file, damaged);
            return List.of();
        }
    }

    /// The measurement of a device, if nothing that it depends on has changed.
    Optional<Measurement> find(Measurement.Key key) {
        return read().stream().filter(measurement -> measurement.key().equals(key)).findFirst();
    }

    /// Replaces the measurement of the same device.
    void put(Measurement measurement) throws Failure {
        List<Measurement> measurements = new ArrayList<>(read());
        measurements.removeIf(other -> other.key().device().equals(measurement.key().device()));
        measurements.add(measurement);
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        JsonArray entries = new JsonArray();
        measurements.forEach(entry -> entries.add(entry.toJson()));
        json.add("measurements", entries);
        String text = new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n";
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
