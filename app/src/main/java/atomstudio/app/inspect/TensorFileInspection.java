package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.TensorFileKind;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.adapter.AdapterSource;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Tensor files: adapters by their metadata, others by their tensors.
final class TensorFileInspection {
    private TensorFileInspection() {}

    static Inspection of(Path path) throws Failure {
        try (TensorFile file = TensorFile.open(path)) {
            JsonObject json = AdapterSource.matches(file)
                    ? AdapterInspection.of(AdapterSource.read(path).getFirst().source())
                    : describe(file);
            json.addProperty("bytes", size(path));
            JsonArray tensors = new JsonArray();
            for (TensorInfo info : file.tensors().values())
                tensors.add(info.name() + " " + info.dtype() + " " + info.shape());
            json.add("tensors", tensors);
            JsonObject metadata = new JsonObject();
            file.metadata()
                    .entrySet()
                    .stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> metadata.addProperty(entry.getKey(), entry.getValue()));
            json.add("metadata", metadata);
            return Inspection.of(json);
        }
    }

    private static JsonObject describe(TensorFile file) {
        JsonObject json = new JsonObject();
        TensorFileKind kind = TensorFileKind.detect(file);
        json.addProperty("kind", kind != TensorFileKind.OTHER ? kind.description()
                : file instanceof SafetensorsFile ? "safetensors" : "tensors of PyTorch");
        json.addProperty("parameters",
                file.tensors().values().stream().mapToLong(info -> info.shape().elements()).sum());
        return json;
    }

    private static long size(Path path) throws Failure {
        try {
            return Files.size(path);
        } catch (IOException e) {
            throw new Failure.Unreadable(path + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
