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
import atomstudio.tuning.interop.KeyConvention;
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

    /// Layer from whose input width InvokeAI detects the kind of model; it rejects files without it.
    private static final String SD_VERSION_LAYER = "lora_unet_down_blocks_0_attentions_0"
            + "_transformer_blocks_0_attn2_to_k";
    static final long SD2_CONTEXT_WIDTH = 1024;

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
            int unbiasedLayers = 0;
            for (Layer layer : weights.layers()) {
                LayerWeights<Tensor> delta = weights.delta(layer);
                String name = KeyConvention.KOHYA.name(layer.component(), layer.path());
                boolean isNorm = layer.kind() == Layer.Kind.NORM;
                boolean writesWeight = isNorm || unchangedWeights == UnchangedWeights.ZEROS
                        || adapter.method().method().changesWeight(layer);
                if (writesWeight)
                    put(name + (isNorm ? ".w_norm" : ".diff"), layer.weightShape(), new DiffTensor(layer, false),
                            shapes, tensorsByKey);
                if (delta.bias() != null && layer.hasBias())
                    put(name + (isNorm ? ".b_norm" : ".diff_b"), layer.biasShape(), new DiffTensor(layer, true), shapes,
                            tensorsByKey);
                if (delta.bias() != null && !layer.hasBias()) unbiasedLayers++;
            }
            Map<String, Tensor> marker = versionMarker(model, shapes);
            marker.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
            LayerDeltaCache deltaCache = new LayerDeltaCache(weights);
            SafetensorsWriter.write(file, shapes, metadata(model, adapter), DType.F16,
                    key -> marker.containsKey(key) ? marker.get(key) : deltaCache.get(tensorsByKey.get(key)));
            long elementCount = shapes.values().stream().mapToLong(Shape::elements).sum();
            return new ExportFormat.ExportResult(elementCount, omitted(unbiasedLayers));
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

    /// A zero LoRA of [#SD_VERSION_LAYER], if no other layer shows the width of the text encoding.
    static Map<String, Tensor> versionMarker(DiffusionModel model, Map<String, Shape> shapes) {
        boolean hasTextWidth = shapes.keySet()
                .stream()
                .anyMatch(key -> key.contains("attn2_to_k") || key.contains("attn2_to_v"));
        boolean hasLayer = model.trainableLayers()
                .stream()
                .anyMatch(layer -> SD_VERSION_LAYER.endsWith(layer.name().replace('.', '_')));
        if (hasTextWidth || !hasLayer) return Map.of();
        return Map.of(SD_VERSION_LAYER + ".lora_down.weight",
                Tensor.zeros(Shape.of(1, model.unet().crossAttentionDim())), SD_VERSION_LAYER + ".lora_up.weight",
                Tensor.zeros(Shape.of(model.unet().levels().getFirst().channels(), 1)),
                // LyCORIS reads no LoRA without α.
                SD_VERSION_LAYER + ".alpha", Tensor.filled(Shape.of(), 1));
    }

    /// Mutable.
    static Map<String, String> metadata(DiffusionModel model, AdapterFile adapter) {
        boolean isSd2 = model.unet().crossAttentionDim() == SD2_CONTEXT_WIDTH;
        Map<String, String> metadata = new HashMap<>();
        metadata.put("ss_network_module", "lycoris.kohya");
        metadata.put("ss_network_args", "{\"algo\": \"full\"}");
        metadata.put("ss_v2", isSd2 ? "True" : "False");
        metadata.put("ss_base_model_version", isSd2 ? "sd_v2" : "sd_v1");
        metadata.put("ss_sd_model_name", adapter.base().name());
        metadata.put("ss_steps", Integer.toString(adapter.training().steps()));
        metadata.put("ss_learning_rate", Double.toString(adapter.training().learningRate()));
        metadata.put("ss_training_comment", adapter.method().name() + " by Atom Studio, as whole differences");
        metadata.put("modelspec.sai_model_spec", "1.0.1");
        metadata.put("modelspec.architecture", (isSd2 ? "stable-diffusion-v2" : "stable-diffusion-v1") + "/lora");
        metadata.put("modelspec.implementation", "diffusers");
        metadata.put("modelspec.title", adapter.trigger().text());
        metadata.put("modelspec.trigger_phrase", adapter.trigger().text());
        return metadata;
    }

    private Optional<String> omitted(int unbiasedLayers) {
        String rows = adapter.embeddingToken()
                .map(token -> "The embedding \"" + token.token() + "\" is not included: export it as "
                        + ExportFormat.EMBEDDING.option() + ".")
                .orElse("");
        String biases = unbiasedLayers == 0 ? ""
                : "Biases added to " + unbiasedLayers
                        + " layers without one are not included: no other program supports them.";
        String both = (rows + " " + biases).strip();
        return both.isEmpty() ? Optional.empty() : Optional.of(both);
    }
}
