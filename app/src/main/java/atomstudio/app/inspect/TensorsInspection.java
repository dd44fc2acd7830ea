package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.adapter.AdapterFile;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/// Safetensors: our adapters by what they say of themselves, any other by its tensors.
final class TensorsInspection {
    private TensorsInspection() {}

    static Inspection of(Path place) throws Failure {
        try (Safetensors file = Safetensors.open(place)) {
            JsonObject json = AdapterFile.recognizes(file) ? adapter(place) : tensors(file);
            json.addProperty("bytes", size(place));
            JsonArray tensors = new JsonArray();
            for (TensorInfo info : file.tensors().values()) tensors.add(info.name() + " " + info.dtype() + " " + info.shape());
            json.add("tensors", tensors);
            JsonObject metadata = new JsonObject();
            file.metadata().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> metadata.addProperty(entry.getKey(), entry.getValue()));
            json.add("metadata", metadata);
            return Inspection.of(json);
        }
    }

    private static JsonObject adapter(Path place) throws Failure {
        AdapterFile adapter = AdapterFile.read(place);
        JsonObject json = new JsonObject();
        json.addProperty("kind", "adapter");
        json.addProperty("method", adapter.method().name());
        json.addProperty("trigger", adapter.trigger().text());
        adapter.placeholder().ifPresent(word -> json.addProperty("word", word.word() + ": " + word.rows() + (word.rows() == 1 ? " row" : " rows") + " of the text encoder's table"));
        json.addProperty("changes", adapter.parts().stream().filter(part -> adapter.layers().stream().anyMatch(layer -> Part.ofTunable(layer.name()) == part)).map(Part::folder).collect(Collectors.joining(", ")));
        json.addProperty("base model", adapter.base().name());
        json.addProperty("base hash", adapter.base().hash());
        json.addProperty("layers", adapter.layers().size());
        json.addProperty("numbers", adapter.numbers());
        json.addProperty("steps", adapter.training().steps());
        json.addProperty("rate", adapter.training().rate());
        json.addProperty("seed", adapter.training().seed());
        return json;
    }

    private static JsonObject tensors(Safetensors file) {
        JsonObject json = new JsonObject();
        json.addProperty("kind", "safetensors");
        json.addProperty("numbers", file.tensors().values().stream().mapToLong(info -> info.shape().elements()).sum());
        return json;
    }

    private static long size(Path place) throws Failure {
        try {
            return Files.size(place);
        } catch (IOException e) {
            throw new Failure.Unreadable(place + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
