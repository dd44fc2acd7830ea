package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Infers diffusers configurations from the names and shapes of tensors. Values that shapes do not determine (heads,
/// norm groups) are those of the published models.
record InferredConfigs(Path file, Map<String, Shape> tensors) {
    private static final int SD1_HEADS = 8;
    private static final int HEAD_DIM = 64;
    private static final int SD2_TEXT_HIDDEN_SIZE = 1024;
    private static final int SD2_TEXT_LAYERS = 23;

    /// Whether a UNet is of Stable Diffusion 2, whose attention blocks have linear input projections.
    boolean usesLinearProjection() throws Failure {
        return shape("mid_block.attentions.0.proj_in.weight").rank() == 2;
    }

    JsonObject unet() throws Failure {
        if (tensors.containsKey("mid_block.attentions.0.transformer_blocks.1.attn1.to_q.weight") || tensors.keySet()
                .stream()
                .anyMatch(key -> key.startsWith("label_emb.") || key.startsWith("add_embedding."))) {
            throw new Failure.Incompatible(file
                    + ": its UNet has several transformer blocks per attention block, or label conditioning, as SDXL, "
                    + "its refiner and upscalers have; Stable Diffusion 1.x and 2.x are supported");
        }
        List<Long> widths = widths("down_blocks.", ".resnets.0.conv1.weight");
        JsonArray down = new JsonArray();
        JsonArray up = new JsonArray();
        for (int level = 0; level < widths.size(); level++) {
            down.add(hasAttention("down_blocks." + level) ? "CrossAttnDownBlock2D" : "DownBlock2D");
            up.add(hasAttention("up_blocks." + level) ? "CrossAttnUpBlock2D" : "UpBlock2D");
        }
        JsonArray heads = new JsonArray();
        for (long width : widths) heads.add(usesLinearProjection() ? Math.max(1, width / HEAD_DIM) : SD1_HEADS);
        JsonObject json = new JsonObject();
        json.addProperty("in_channels", shape("conv_in.weight").size(1));
        json.addProperty("out_channels", shape("conv_out.weight").size(0));
        json.add("block_out_channels", array(widths));
        json.add("down_block_types", down);
        json.add("up_block_types", up);
        json.add("attention_head_dim", heads);
        json.addProperty("layers_per_block", count("down_blocks.0.resnets.", ".conv1.weight"));
        json.addProperty("cross_attention_dim",
                shape("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight").size(1));
        json.addProperty("use_linear_projection", usesLinearProjection());
        return json;
    }

    private boolean hasAttention(String block) {
        return tensors.containsKey(block + ".attentions.0.proj_in.weight");
    }

    JsonObject vae() throws Failure {
        if (tensors.keySet().stream().anyMatch(key -> key.contains("time_stack") || key.contains("temporal")))
            throw new Failure.Incompatible(file + ": its autoencoder is for video, which is not supported");
        List<Long> widths = widths("encoder.down_blocks.", ".resnets.0.conv1.weight");
        JsonObject json = new JsonObject();
        json.addProperty("in_channels", shape("encoder.conv_in.weight").size(1));
        json.addProperty("out_channels", shape("decoder.conv_out.weight").size(0));
        json.addProperty("latent_channels", shape("post_quant_conv.weight").size(0));
        json.add("block_out_channels", array(widths));
        JsonArray down = new JsonArray();
        JsonArray up = new JsonArray();
        for (int level = 0; level < widths.size(); level++) {
            down.add("DownEncoderBlock2D");
            up.add("UpDecoderBlock2D");
        }
        json.add("down_block_types", down);
        json.add("up_block_types", up);
        json.addProperty("layers_per_block", count("encoder.down_blocks.0.resnets.", ".conv1.weight"));
        return json;
    }

    /// Stable Diffusion 2 does not use the last layer of its text encoder: the original files include it, diffusers'
    /// do not.
    JsonObject textEncoder(LdmLayout.TextEncoder stored) throws Failure {
        Shape tokenEmbedding = shape("text_model.embeddings.token_embedding.weight");
        long hiddenSize = tokenEmbedding.size(1);
        int storedLayers = count("text_model.encoder.layers.", ".layer_norm1.weight");
        boolean isOpenClip = stored.names() == LdmLayout.TextNames.OPEN_CLIP || hiddenSize == SD2_TEXT_HIDDEN_SIZE;
        int usedLayers = !isOpenClip || stored.isSdxl()
                || hiddenSize == SD2_TEXT_HIDDEN_SIZE && storedLayers == SD2_TEXT_LAYERS ? storedLayers
                        : storedLayers - 1;
        JsonObject json = new JsonObject();
        json.addProperty("vocab_size", tokenEmbedding.size(0));
        json.addProperty("hidden_size", hiddenSize);
        json.addProperty("max_position_embeddings", shape("text_model.embeddings.position_embedding.weight").size(0));
        json.addProperty("intermediate_size", shape("text_model.encoder.layers.0.mlp.fc1.weight").size(0));
        json.addProperty("num_hidden_layers", usedLayers);
        json.addProperty("num_attention_heads", Math.max(1, hiddenSize / HEAD_DIM));
        json.addProperty("hidden_act", isOpenClip ? "gelu" : "quick_gelu");
        json.addProperty("eos_token_id", tokenEmbedding.size(0) - 1);
        return json;
    }

    private Shape shape(String key) throws Failure {
        Shape shape = tensors.get(key);
        if (shape == null || shape.rank() < 1) {
            throw new Failure.Incompatible(file + ": expected a tensor for " + key + " of the network, found "
                    + (shape == null ? "none" : shape) + "; the file may be incomplete, or of another architecture");
        }
        return shape.rank() == 1 ? Shape.of(shape.size(0), 1) : shape;
    }

    /// The output channels of each level, from a tensor that every level has.
    private List<Long> widths(String prefix, String suffix) throws Failure {
        List<Long> widths = new ArrayList<>();
        for (int level = 0; level < count(prefix, suffix); level++) widths.add(shape(prefix + level + suffix).size(0));
        if (widths.isEmpty()) shape(prefix + "0" + suffix);
        return widths;
    }

    private int count(String prefix, String suffix) {
        int count = 0;
        while (tensors.containsKey(prefix + count + suffix)) count++;
        return count;
    }

    private static JsonArray array(List<Long> values) {
        JsonArray array = new JsonArray();
        values.forEach(value -> array.add(new JsonPrimitive(value)));
        return array;
    }
}
