package atomstudio.app.inspect;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.EmbeddingFile;
import atomstudio.tuning.adapter.ExternalAdapter;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.math.BigInteger;
import java.util.stream.Collectors;

/// Adapters in files and in images: method, trigger word, base model, parameter count.
final class AdapterInspection {
    private AdapterInspection() {}

    static JsonObject of(AdapterSource source) {
        return switch (source) {
            case AdapterFile adapter -> ofOwnAdapter(adapter);
            case EmbeddingFile embedding -> {
                JsonObject json = new JsonObject();
                json.addProperty("kind", "embedding");
                json.addProperty("word", describeRows(embedding.word(), embedding.rows().shape().size(0)));
                json.addProperty("parameters", embedding.parameterCount());
                yield json;
            }
            case ExternalAdapter foreign -> {
                JsonObject json = new JsonObject();
                json.addProperty("kind", "adapter of another program");
                json.addProperty("method", foreign.kind());
                json.addProperty("layers", foreign.layerCount());
                if (!foreign.otherTensors().isEmpty())
                    json.add("tensors of no adapter",
                            foreign.otherTensors()
                                    .keySet()
                                    .stream()
                                    .sorted()
                                    .collect(JsonArray::new, JsonArray::add, JsonArray::addAll));
                json.addProperty("parameters", foreign.parameterCount());
                yield json;
            }
        };
    }

    private static JsonObject ofOwnAdapter(AdapterFile adapter) {
        JsonObject json = new JsonObject();
        json.addProperty("kind", "adapter");
        json.addProperty("method", adapter.method().name());
        json.addProperty("trigger", adapter.trigger().text());
        adapter.embeddingToken()
                .ifPresent(word -> json.addProperty("word", describeRows(word.token(), word.vectors())));
        json.addProperty("changes",
                adapter.components()
                        .stream()
                        .filter(part -> adapter.layers()
                                .stream()
                                .anyMatch(layer -> layer.component().equals(part)))
                        .map(Component::folder)
                        .collect(Collectors.joining(", ")));
        json.addProperty("base model", adapter.base().name());
        json.addProperty("base hash", adapter.base().hash());
        json.addProperty("layers", adapter.layers().size());
        json.addProperty("parameters", adapter.parameterCount());
        json.addProperty("steps", adapter.training().steps());
        json.addProperty("learning rate", adapter.training().learningRate());
        json.addProperty("seed", new BigInteger(Seed.format(adapter.training().seed())));
        return json;
    }

    private static String describeRows(String word, long rows) {
        return word + ": " + rows + (rows == 1 ? " row" : " rows") + " of the text encoder's table";
    }
}
