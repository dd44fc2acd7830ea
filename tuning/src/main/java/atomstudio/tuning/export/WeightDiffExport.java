package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.torch.AdapterDeltas;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Writes the changes of any method as full weight diffs, which A1111, Forge, ComfyUI, InvokeAI, LyCORIS and
/// stable-diffusion.cpp read as a LoRA: `.diff` and `.diff_b`, for norms `.w_norm` and `.b_norm`, in half precision.
/// As large as the layers themselves.
/// Source: LyCORIS, its full and norm modules.
record WeightDiffExport(AdapterFile adapter, ExportBaseModel base, UnchangedWeights unchangedWeights) {
    /// How to write the weight of a layer where only the bias is trained. Weights of norms are always written: they are
    /// small, and no program reads `.b_norm` alone.
    enum UnchangedWeights { ZEROS, OMITTED }

    /// A tensor of the file: weight or bias of a layer.
    private record DiffTensor(Layer layer, boolean bias) {}

    ExportFormat.ExportResult write(Path file) throws Failure {
        DiffusionModel model = base.openMatching(adapter);
        try (AdapterDeltas weights = AdapterDeltas.open(model, adapter.toAdapter("", model), base.torch())) {
            if (weights.layers().isEmpty())
                throw new Failure.Incompatible(
                        "format diff: expected an adapter that changes weights, found only an embedding; export it as "
                                + ExportFormat.recommended(adapter).option());
            Map<String, DiffTensor> tensorsByKey = new HashMap<>();
            Map<String, Shape> shapes = new TreeMap<>();
            int addedBiases = 0;
            for (Layer layer : weights.layers()) {
                LayerWeights<Tensor> delta = weights.delta(layer);
                boolean isNorm = layer.kind() == Layer.Kind.NORM;
                boolean writesWeight = isNorm || unchangedWeights == UnchangedWeights.ZEROS
                        || adapter.method().method().changesWeight(layer);
                for (String name : CompactExport.kohyaNames(layer)) {
                    if (writesWeight)
                        put(name + (isNorm ? ".w_norm" : ".diff"), layer.weightShape(), new DiffTensor(layer, false),
                                shapes, tensorsByKey);
                    if (delta.bias() != null)
                        put(name + (isNorm ? ".b_norm" : ".diff_b"), layer.biasShape(), new DiffTensor(layer, true),
                                shapes, tensorsByKey);
                }
                if (delta.bias() != null && !layer.hasBias()) addedBiases++;
            }
            Map<String, Tensor> further = new HashMap<>(ExportMetadata.versionMarker(model, shapes));
            further.putAll(ExportMetadata.embedding(adapter));
            further.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
            LayerDeltaCache deltaCache = new LayerDeltaCache(weights);
            SafetensorsWriter.write(file, shapes, ExportMetadata.of(adapter, Optional.of(model), base.thumbnail()),
                    DType.F16,
                    key -> further.containsKey(key) ? further.get(key) : deltaCache.get(tensorsByKey.get(key)));
            long elementCount = shapes.values().stream().mapToLong(Shape::elements).sum();
            return new ExportFormat.ExportResult(elementCount, omitted(addedBiases));
        }
    }

    private static void put(String key, Shape shape, DiffTensor tensor, Map<String, Shape> shapes,
            Map<String, DiffTensor> tensorsByKey) {
        shapes.put(key, shape);
        tensorsByKey.put(key, tensor);
    }

    /// Computes the diff of a layer once for its weight and bias, which are written in succession.
    private static final class LayerDeltaCache {
        private final AdapterDeltas weights;
        private @Nullable Layer cachedLayer;
        private @Nullable LayerWeights<Tensor> cachedDelta;

        LayerDeltaCache(AdapterDeltas weights) {
            this.weights = weights;
        }

        Tensor get(DiffTensor tensor) {
            LayerWeights<Tensor> found = cachedDelta;
            if (found == null || !tensor.layer.equals(cachedLayer)) {
                found = weights.delta(tensor.layer);
                cachedDelta = found;
                cachedLayer = tensor.layer;
            }
            Tensor bias = found.bias();
            return tensor.bias && bias != null ? bias : found.weight();
        }
    }

    private Optional<String> omitted(int addedBiases) {
        String rows = ExportMetadata.embeddingNote(adapter).orElse("");
        String biases = addedBiases == 0 ? ""
                : "It adds biases to " + addedBiases + " layers without one, which A1111 and this program do; "
                        + "ComfyUI and LyCORIS leave them out.";
        String both = (rows + " " + biases).strip();
        return both.isEmpty() ? Optional.empty() : Optional.of(both);
    }
}
