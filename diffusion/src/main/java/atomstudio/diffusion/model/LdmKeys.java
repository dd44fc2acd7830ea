package atomstudio.diffusion.model;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Maps tensor names of the original Stable Diffusion code (LDM layout) to diffusers' names. Unknown names are kept.
/// Source: CompVis/latent-diffusion and CompVis/stable-diffusion,
/// ldm/modules/diffusionmodules/{openaimodel,model}.py; mlfoundations/open_clip, transformer.py.
public final class LdmKeys {
    static final Map<String, String> UNET_PREFIXES = Map.of("time_embed.0.", "time_embedding.linear_1.",
            "time_embed.2.", "time_embedding.linear_2.",
            "input_blocks.0.0.", "conv_in.", "out.0.", "conv_norm_out.", "out.2.", "conv_out.",
            "middle_block.1.", "mid_block.attentions.0.");
    static final Map<String, String> RESNET_PREFIXES = Map.of("in_layers.0.", "norm1.", "in_layers.2.", "conv1.",
            "emb_layers.1.", "time_emb_proj.",
            "out_layers.0.", "norm2.", "out_layers.3.", "conv2.", "skip_connection.", "conv_shortcut.");
    static final Map<String, String> VAE_ATTENTION_PREFIXES = Map.of("norm.", "group_norm.", "q.", "to_q.",
            "k.", "to_k.", "v.", "to_v.", "proj_out.", "to_out.0.");
    static final Map<String, String> OPEN_CLIP_PREFIXES = Map.of("ln_1.", "layer_norm1.", "ln_2.",
            "layer_norm2.", "mlp.c_fc.", "mlp.fc1.", "mlp.c_proj.", "mlp.fc2.",
            "attn.out_proj.", "self_attn.out_proj.");

    private LdmKeys() {}

    /// @param blocksPerLevel residual blocks per down block
    static String unet(String key, int blocksPerLevel) {
        for (Map.Entry<String, String> entry : UNET_PREFIXES.entrySet()) {
            if (key.startsWith(entry.getKey())) return entry.getValue() + key.substring(entry.getKey().length());
        }
        String[] parts = key.split("\\.", 4);
        if (parts.length < 4 || !isNumber(parts[1])) return key;
        int index = Integer.parseInt(parts[1]);
        return switch (parts[0]) {
            case "middle_block" -> "mid_block.resnets." + index / 2 + "." + resnet(parts[2] + "." + parts[3]);
            case "input_blocks" -> down(index - 1, parts[2], parts[3], blocksPerLevel + 1);
            case "output_blocks" -> up(index, parts[2], parts[3], blocksPerLevel + 1);
            default -> key;
        };
    }

    private static String down(int index, String module, String rest, int blocksPerLevel) {
        String level = "down_blocks." + index / blocksPerLevel;
        if (rest.startsWith("op.")) return level + ".downsamplers.0.conv." + rest.substring(3);
        return block(level, index % blocksPerLevel, module, rest);
    }

    private static String up(int index, String module, String rest, int blocksPerLevel) {
        String level = "up_blocks." + index / blocksPerLevel;
        if (rest.startsWith("conv.")) return level + ".upsamplers.0." + rest;
        return block(level, index % blocksPerLevel, module, rest);
    }

    private static String block(String level, int index, String module, String rest) {
        return level
                + (module.equals("0") ? ".resnets." + index + "." + resnet(rest) : ".attentions." + index + "." + rest);
    }

    private static String resnet(String rest) {
        return replacePrefix(rest, RESNET_PREFIXES);
    }

    /// @param levels of the decoder, whose original names count from the finest level
    static String vae(String key, int levels) {
        String name = key.replace(".mid.block_1.", ".mid_block.resnets.0.")
                .replace(".mid.block_2.", ".mid_block.resnets.1.")
                .replace(".norm_out.", ".conv_norm_out.")
                .replace(".nin_shortcut.", ".conv_shortcut.");
        String attentionMarker = ".mid.attn_1.";
        int start = name.indexOf(attentionMarker);
        if (start >= 0)
            return name.substring(0, start) + ".mid_block.attentions.0."
                    + replacePrefix(name.substring(start + attentionMarker.length()), VAE_ATTENTION_PREFIXES);
        String[] parts = name.split("\\.", 5);
        if (parts.length < 5 || !isNumber(parts[2])) return name;
        int level = Integer.parseInt(parts[2]);
        return switch (parts[0] + "." + parts[1] + "." + parts[3]) {
            case "encoder.down.block" -> "encoder.down_blocks." + level + ".resnets." + parts[4];
            case "encoder.down.downsample" -> "encoder.down_blocks." + level + ".downsamplers.0." + parts[4];
            case "decoder.up.block" -> "decoder.up_blocks." + (levels - 1 - level) + ".resnets." + parts[4];
            case "decoder.up.upsample" -> "decoder.up_blocks." + (levels - 1 - level) + ".upsamplers.0." + parts[4];
            default -> name;
        };
    }

    /// Maps OpenCLIP's names to transformers'. Fused projections (`attn.in_proj_…`) keep their name after the layer's.
    static String openClip(String key) {
        if (key.equals("positional_embedding")) return "text_model.embeddings.position_embedding.weight";
        if (key.startsWith("token_embedding.")) return "text_model.embeddings." + key;
        if (key.startsWith("ln_final.")) return "text_model.final_layer_norm." + key.substring("ln_final.".length());
        String layers = "transformer.resblocks.";
        if (!key.startsWith(layers)) return key;
        int dot = key.indexOf('.', layers.length());
        return dot < 0 ? key
                : "text_model.encoder.layers." + key.substring(layers.length(), dot) + "."
                        + replacePrefix(key.substring(dot + 1), OPEN_CLIP_PREFIXES);
    }

    private static String replacePrefix(String name, Map<String, String> replacements) {
        for (Map.Entry<String, String> entry : replacements.entrySet()) {
            if (name.startsWith(entry.getKey())) return entry.getValue() + name.substring(entry.getKey().length());
        }
        return name;
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 5 && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /// Maps diffusers' names of the UNet's layers to the original ones: the inverse of [LdmKeys].
    public static final class FromDiffusers {
        private static final Pattern RESNET_LAYER = Pattern
                .compile("(down|up)_blocks\\.(\\d+)\\.resnets\\.(\\d+)\\.(.+)");
        private static final Pattern ATTENTION_LAYER = Pattern
                .compile("(down|up)_blocks\\.(\\d+)\\.attentions\\.(\\d+)\\.(.+)");
        private static final Pattern MID_RESNET_LAYER = Pattern.compile("mid_block\\.resnets\\.(\\d+)\\.(.+)");
        private static final Pattern DOWNSAMPLER_LAYER = Pattern
                .compile("down_blocks\\.(\\d+)\\.downsamplers\\.0\\.conv");
        private static final Pattern UPSAMPLER_LAYER = Pattern.compile("up_blocks\\.(\\d+)\\.upsamplers\\.0\\.conv");

        private final Set<String> layers;
        /// Residual blocks per down block, and one for the downsampler.
        private final int blocksPerLevel;

        /// @param layers diffusers' names of all layers of the UNet
        public FromDiffusers(Collection<String> layers) {
            this.layers = new HashSet<>(layers);
            int blocks = 1;
            while (this.layers.contains("down_blocks.0.resnets." + blocks + ".conv1")) blocks++;
            this.blocksPerLevel = blocks + 1;
        }

        /// The original name of a layer; a name that has none is kept.
        public String ldmKey(String layer) {
            for (Map.Entry<String, String> entry : LdmKeys.UNET_PREFIXES.entrySet()) {
                if ((layer + ".").startsWith(entry.getValue()))
                    return join(entry.getKey(), (layer + ".").substring(entry.getValue().length()));
            }
            Matcher mid = MID_RESNET_LAYER.matcher(layer);
            if (mid.matches()) return "middle_block." + 2 * number(mid, 1) + "." + resnet(mid.group(2));
            Matcher resnet = RESNET_LAYER.matcher(layer);
            if (resnet.matches()) return block(resnet) + ".0." + resnet(resnet.group(4));
            Matcher attention = ATTENTION_LAYER.matcher(layer);
            if (attention.matches()) return block(attention) + ".1." + attention.group(4);
            Matcher down = DOWNSAMPLER_LAYER.matcher(layer);
            if (down.matches()) return "input_blocks." + blocksPerLevel * (number(down, 1) + 1) + ".0.op";
            Matcher up = UPSAMPLER_LAYER.matcher(layer);
            if (!up.matches()) return layer;
            // The upsampler follows the transformer, or the residual block if there is none.
            boolean hasAttention = layers.contains("up_blocks." + number(up, 1) + ".attentions.0.proj_in");
            return "output_blocks." + (blocksPerLevel * (number(up, 1) + 1) - 1) + (hasAttention ? ".2" : ".1")
                    + ".conv";
        }

        private String block(Matcher block) {
            int index = blocksPerLevel * number(block, 2) + number(block, 3);
            return block.group(1).equals("down") ? "input_blocks." + (index + 1) : "output_blocks." + index;
        }

        private static String resnet(String rest) {
            for (Map.Entry<String, String> entry : LdmKeys.RESNET_PREFIXES.entrySet()) {
                if (entry.getValue().equals(rest + ".")) return join(entry.getKey(), "");
            }
            return rest;
        }

        private static String join(String prefix, String rest) {
            return (prefix + rest).replaceFirst("\\.$", "");
        }

        private static int number(Matcher matcher, int group) {
            return Integer.parseInt(matcher.group(group));
        }
    }
}
