package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.ClipBlocks;
import atomstudio.diffusion.net.ClipText;
import atomstudio.diffusion.net.ClipVision;
import atomstudio.diffusion.net.TimestepFeatures;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// From configuration to network, with the defaults of the reference classes; refuses every architecture that is not built.
/// Source: diffusers UNet2DConditionModel and AutoencoderKL, transformers CLIPTextConfig and CLIPVisionConfig.
public final class NetworkConfigs {
    private static final Map<String, UNet.Block> DOWN = Map.of("CrossAttnDownBlock2D", UNet.Block.CROSS_ATTENTION, "DownBlock2D", UNet.Block.PLAIN);
    private static final Map<String, UNet.Block> UP = Map.of("CrossAttnUpBlock2D", UNet.Block.CROSS_ATTENTION, "UpBlock2D", UNet.Block.PLAIN);

    /// More than any published network has: a configuration that asks for more is damaged.
    private static final int MOST_LAYERS = 256;

    private static final int MOST_LEVELS = 16;
    private static final int MOST_TOKENS = 1 << 16;

    private NetworkConfigs() {}

    /// @throws Failure.Incompatible when the configuration asks for something that is not built, such as SDXL's text conditioning
    public static UNet unet(Config config) throws Failure {
        refuseOtherUNets(config);
        List<UNet.Block> down = blocks(config, "down_block_types", DOWN, List.of("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"));
        List<UNet.Block> up = blocks(config, "up_block_types", UP, List.of("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"));
        if (!up.reversed().equals(down)) {
            throw new Failure.Incompatible(config.file() + ": up_block_types must mirror down_block_types, found " + config.json().get("up_block_types"));
        }
        List<Integer> widths = config.wholes("block_out_channels", List.of(320, 640, 1280, 1280), down.size());
        String headsKey = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";   // diffusers' misnomer: it counts heads
        List<Integer> heads = config.wholes(headsKey, Collections.nCopies(down.size(), 8), down.size());
        if (widths.size() != down.size() || heads.size() != down.size()) {
            throw config.wrong("block_out_channels and " + headsKey, down.size() + " numbers, one a down block", config.json().get(headsKey));
        }
        List<UNet.Level> levels = new ArrayList<>();
        for (int i = 0; i < down.size(); i++) levels.add(new UNet.Level(widths.get(i), heads.get(i), down.get(i)));
        int groups = config.positive("norm_num_groups", 32);
        checkDivides(config, widths, groups, "norm_num_groups");
        for (UNet.Level level : levels) checkDivides(config, List.of(level.width()), level.heads(), headsKey);
        return new UNet(new UNet.Channels(config.positive("in_channels", 4), config.positive("out_channels", 4)), List.copyOf(levels),
                config.count("layers_per_block", 2, MOST_LAYERS), config.positive("cross_attention_dim", 1280), new UNet.Norm(groups, config.number("norm_eps", 1e-5)),
                config.flag("use_linear_projection", false) ? UNet.Projection.LINEAR : UNet.Projection.CONV, time(config, widths.getFirst()));
    }

    private static TimestepFeatures time(Config config, int width) throws Failure {
        TimestepFeatures.Order order = config.flag("flip_sin_to_cos", true) ? TimestepFeatures.Order.COSINE_SINE : TimestepFeatures.Order.SINE_COSINE;
        return new TimestepFeatures(width, order, config.number("freq_shift", 0));
    }

    private static void refuseOtherUNets(Config config) throws Failure {
        config.expect("_class_name", new JsonPrimitive("UNet2DConditionModel"));
        for (String key : List.of("addition_embed_type", "class_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim",
                "cross_attention_norm", "num_class_embeds", "reverse_transformer_layers_per_block", "time_embedding_dim")) {
            config.expect(key, JsonNull.INSTANCE);
        }
        for (String key : List.of("center_input_sample", "dual_cross_attention", "only_cross_attention", "class_embeddings_concat", "resnet_skip_time_act")) config.expect(key, new JsonPrimitive(false));
        for (String key : List.of("conv_in_kernel", "conv_out_kernel")) config.expect(key, new JsonPrimitive(3));
        for (String key : List.of("downsample_padding", "mid_block_scale_factor", "transformer_layers_per_block", "resnet_out_scale_factor")) {
            if (config.has(key) && config.number(key, 1) != 1) throw new Failure.Incompatible(config.file() + ": " + key + " = " + SafeText.of(config.json().get(key)) + " is not supported; only 1 is");
        }
        config.expect("act_fn", new JsonPrimitive("silu"));
        config.expect("mid_block_type", new JsonPrimitive("UNetMidBlock2DCrossAttn"));
        config.expect("resnet_time_scale_shift", new JsonPrimitive("default"));
        config.expect("time_embedding_type", new JsonPrimitive("positional"));
        config.expect("attention_type", new JsonPrimitive("default"));
    }

    public static Vae vae(Config config) throws Failure {
        config.expect("_class_name", new JsonPrimitive("AutoencoderKL"));
        config.expect("act_fn", new JsonPrimitive("silu"));
        for (String key : List.of("mid_block_add_attention", "use_quant_conv", "use_post_quant_conv")) config.expect(key, new JsonPrimitive(true));
        for (String key : List.of("shift_factor", "latents_mean", "latents_std")) config.expect(key, JsonNull.INSTANCE);
        List<Integer> widths = config.wholes("block_out_channels", List.of(64), 1);
        for (String key : List.of("down_block_types", "up_block_types")) {
            String block = key.startsWith("down") ? "DownEncoderBlock2D" : "UpDecoderBlock2D";
            if (!config.texts(key, Collections.nCopies(widths.size(), block)).equals(Collections.nCopies(widths.size(), block))) {
                throw config.wrong(key, widths.size() + " × " + block, config.json().get(key));
            }
        }
        config.expect("out_channels", new JsonPrimitive(config.positive("in_channels", 3)));
        int groups = config.positive("norm_num_groups", 32);
        checkDivides(config, widths, groups, "norm_num_groups");
        return new Vae(config.positive("in_channels", 3), config.positive("latent_channels", 4), widths, config.count("layers_per_block", 1, MOST_LAYERS), groups, config.number("scaling_factor", 0.18215));
    }

    public static ClipText text(Config config) throws Failure {
        int tokens = config.count("max_position_embeddings", 77, MOST_TOKENS);
        if (tokens < 2) throw config.wrong("max_position_embeddings", "room for a start and a stop token", config.json().get("max_position_embeddings"));
        return new ClipText(config.positive("vocab_size", 49408), tokens, blocks(config, new Sizes(512, 2048, 8)));
    }

    /// @param projected numbers of an embedding
    public static ClipVision vision(Config config, int projected) throws Failure {
        ClipVision.Patches patches = new ClipVision.Patches(config.positive("num_channels", 3), config.positive("image_size", 224), config.positive("patch_size", 32));
        if (patches.side() < patches.size()) throw new Failure.Incompatible(config.file() + ": patch_size = " + patches.size() + " is larger than image_size = " + patches.side());
        return new ClipVision(patches, blocks(config, new Sizes(768, 3072, 12)), projected);
    }

    /// What a reference class has where its configuration is silent.
    private record Sizes(int width, int hidden, int heads) {}

    private static ClipBlocks blocks(Config config, Sizes otherwise) throws Failure {
        String activation = config.text("hidden_act", "quick_gelu");
        ClipBlocks.Activation known = switch (activation) {
            case "quick_gelu" -> ClipBlocks.Activation.QUICK_GELU;
            case "gelu" -> ClipBlocks.Activation.GELU;
            default -> throw new Failure.Incompatible(config.file() + ": hidden_act = " + SafeText.of(activation) + " is not supported; quick_gelu and gelu are");
        };
        int width = config.positive("hidden_size", otherwise.width);
        int heads = config.positive("num_attention_heads", otherwise.heads);
        checkDivides(config, List.of(width), heads, "num_attention_heads");
        return new ClipBlocks(width, config.positive("intermediate_size", otherwise.hidden), config.count("num_hidden_layers", 12, MOST_LAYERS), heads, known, config.number("layer_norm_eps", 1e-5));
    }

    private static void checkDivides(Config config, List<Integer> widths, int by, String key) throws Failure {
        for (int width : widths) {
            if (width % by != 0) throw new Failure.Incompatible(config.file() + ": " + key + " = " + by + " does not divide the width " + width);
        }
    }

    private static List<UNet.Block> blocks(Config config, String key, Map<String, UNet.Block> known, List<String> otherwise) throws Failure {
        List<UNet.Block> blocks = new ArrayList<>();
        for (String name : config.texts(key, otherwise)) {
            UNet.Block block = known.get(name);
            if (block == null) throw new Failure.Incompatible(config.file() + ": " + key + ": " + SafeText.of(name) + " is not supported; only " + known.keySet().stream().sorted().toList() + " are");
            blocks.add(block);
        }
        if (blocks.isEmpty() || blocks.size() > MOST_LEVELS) throw config.wrong(key, "1 to " + MOST_LEVELS + " blocks", config.json().get(key));
        return blocks;
    }
}
