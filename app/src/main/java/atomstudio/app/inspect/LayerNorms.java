package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.EmbeddingFile;
import atomstudio.tuning.torch.AdapterDeltas;
import atomstudio.tuning.torch.TorchSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The Frobenius norms of the weight changes of the adapters in a file.
/// @param layers in the network's order
public record LayerNorms(List<LayerNorm> layers) {
    /// @param norm     ‖ΔW‖
    /// @param relative ‖ΔW‖ / ‖W‖
    public record LayerNorm(String layer, double norm, double relative) {}

    /// @throws Failure.Incompatible if the file has no adapter that changes weights, or does not fit the model
    public static LayerNorms of(Path file, DiffusionModel model, TorchSettings torch) throws Failure {
        List<LayerNorm> norms = new ArrayList<>();
        for (AdapterSource.NamedAdapter found : AdapterSource.read(file)) {
            if (found.source() instanceof EmbeddingFile) continue;
            found.source().requireFits(model);
            try (AdapterDeltas deltas = AdapterDeltas.open(model, found.source().toAdapter(found.name(), model),
                    torch)) {
                for (Layer layer : deltas.layers()) {
                    double norm = Math.sqrt(deltas.delta(layer).weight().squaredNorm());
                    norms.add(new LayerNorm(layer.name(), norm,
                            norm / Math.sqrt(deltas.baseWeight(layer).squaredNorm())));
                }
            }
        }
        if (norms.isEmpty())
            throw new Failure.Incompatible(file + ": expected an adapter that changes layers, found none; "
                    + "inspect it without norms");
        return new LayerNorms(List.copyOf(norms));
    }

    public List<String> lines() {
        return layers.stream()
                .map(layer -> String.format(Locale.ROOT, "%-10.4g  %8.3f %%  %s", layer.norm, 100 * layer.relative,
                        layer.layer))
                .toList();
    }

    public JsonArray json() {
        JsonArray json = new JsonArray();
        for (LayerNorm layer : layers) {
            JsonObject entry = new JsonObject();
            entry.addProperty("layer", layer.layer);
            entry.addProperty("norm", layer.norm);
            entry.addProperty("relative", layer.relative);
            json.add(entry);
        }
        return json;
    }
}
