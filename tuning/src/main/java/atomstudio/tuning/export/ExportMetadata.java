package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What other programs read in the header of an adapter file: sd-scripts' `ss_` keys and the model specification.
/// Source: sd-scripts, library/train_util.py; Stability AI, ModelSpec 1.0.1.
final class ExportMetadata {
    private static final String SD1 = "stable-diffusion-v1";
    static final long SD2_CONTEXT_WIDTH = 1024;
    /// Layer from whose input width InvokeAI detects the kind of model; it rejects files without it.
    private static final String SD_VERSION_LAYER = "lora_unet_down_blocks_0_attentions_0"
            + "_transformer_blocks_0_attn2_to_k";

    private ExportMetadata() {}

    /// The metadata of a LyCORIS file of whole differences, which may be changed.
    /// @param model     empty if it is not at hand
    /// @param thumbnail a JPEG as a data URL
    static Map<String, String> of(AdapterFile adapter, Optional<DiffusionModel> model, Optional<String> thumbnail)
            throws Failure {
        boolean isSd2 = model.map(each -> (long) each.unet().crossAttentionDim()).orElseGet(() -> contextWidth(adapter))
                == SD2_CONTEXT_WIDTH;
        boolean isV = model.isPresent() && model.get().scheduler().predictionType() == PredictionType.V;
        Map<String, String> metadata = new HashMap<>();
        metadata.put("ss_network_module", "lycoris.kohya");
        metadata.put("ss_network_args", "{\"algo\": \"full\"}");
        metadata.put("ss_v2", isSd2 ? "True" : "False");
        metadata.put("ss_base_model_version", isSd2 ? isV ? "sd_v2_v" : "sd_v2" : "sd_v1");
        metadata.put("ss_sd_model_name", adapter.base().name());
        metadata.put("ss_steps", Integer.toString(adapter.training().steps()));
        metadata.put("ss_learning_rate", Double.toString(adapter.training().learningRate()));
        metadata.put("ss_seed", Long.toString(adapter.training().seed()));
        metadata.put("ss_training_comment", adapter.method().name() + " by Atom Studio, as whole differences");
        metadata.put("modelspec.sai_model_spec", "1.0.1");
        metadata.put("modelspec.architecture", (isSd2 ? "stable-diffusion-v2" : SD1) + "/lora");
        metadata.put("modelspec.implementation", "diffusers");
        metadata.put("modelspec.title", adapter.trigger().text());
        metadata.put("modelspec.trigger_phrase", adapter.trigger().text());
        metadata.put("modelspec.date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        metadata.put("modelspec.prediction_type", isV ? "v" : "epsilon");
        model.ifPresent(
                each -> metadata.put("modelspec.resolution", each.defaultImageSize() + "x" + each.defaultImageSize()));
        thumbnail.ifPresent(image -> metadata.put("modelspec.thumbnail", image));
        return metadata;
    }

    /// Input width of the adapted cross-attention layers; 0 without one.
    private static long contextWidth(AdapterFile adapter) {
        return adapter.layers()
                .stream()
                .filter(layer -> layer.name().matches(".*attn2\\.to_[kv]"))
                .mapToLong(layer -> layer.weight().size(1))
                .findFirst()
                .orElse(0);
    }

    /// Writes tensors, with a hash of their bytes in the metadata.
    static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata, DType dtype)
            throws Failure {
        ByteBuffer bytes = ByteBuffer.wrap(SafetensorsWriter.toBytes(tensors, Map.of(), dtype))
                .order(ByteOrder.LITTLE_ENDIAN);
        String hash = new Sha256().add(bytes.position(Math.toIntExact(8 + bytes.getLong(0)))).hex();
        Map<String, String> withHash = new HashMap<>(metadata);
        withHash.put("modelspec.hash_sha256", "0x" + hash);
        withHash.put("sshs_model_hash", hash);
        Map<String, Shape> shapes = new TreeMap<>();
        tensors.forEach((key, tensor) -> shapes.put(key, tensor.shape()));
        SafetensorsWriter.write(file, shapes, withHash, dtype, tensors::get);
    }

    /// The rows of a textual inversion under the key that A1111 and OneTrainer read in an adapter's file. A1111 ends
    /// the word at the first dot. Not for files that diffusers reads: with this key it converts none of their keys.
    static Map<String, Tensor> embedding(AdapterFile adapter) {
        Optional<String> word = adapter.embeddingToken().map(Adapter.EmbeddingToken::token);
        if (word.isEmpty() || word.get().contains(".")) return Map.of();
        return Map.of("bundle_emb." + word.get() + ".string_to_param.*",
                adapter.values().get(AdapterFile.EMBEDDING_ROWS));
    }

    /// A message about the word of a file with [#embedding]; empty without a word.
    static Optional<String> embeddingNote(AdapterFile adapter) {
        return adapter.embeddingToken()
                .map(token -> token.token().contains(".")
                        ? "The embedding \"" + token.token()
                                + "\" is not included, since A1111 ends a word at a dot: export "
                                + "it as " + ExportFormat.EMBEDDING.option() + "."
                        : "The embedding \"" + token.token()
                                + "\" is in the file for A1111, OneTrainer and this program. "
                                + "Forge, ComfyUI and InvokeAI need a second file in the format "
                                + ExportFormat.EMBEDDING.option()
                                + "; diffusers reads embeddings only from such a file.");
    }

    /// A message about the word of a file without it; empty without a word.
    static Optional<String> noEmbeddingNote(AdapterFile adapter) {
        return adapter.embeddingToken()
                .map(token -> "The embedding \"" + token.token() + "\" is not included: export it as "
                        + ExportFormat.EMBEDDING.option() + ".");
    }

    /// A zero LoRA of [#SD_VERSION_LAYER], if no other layer shows the width of the text encoding.
    /// @param shapes by key of the file
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
}
