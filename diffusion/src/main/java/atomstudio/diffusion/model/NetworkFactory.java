package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.ClipTransformer;
import atomstudio.diffusion.net.ClipVisionModel;
import atomstudio.diffusion.net.Network;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.Vae;
import atomstudio.diffusion.ops.Component;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// Creates networks from their configurations, with the defaults of the reference classes. Unsupported architectures
/// are rejected.
/// Source: diffusers UNet2DConditionModel and AutoencoderKL, transformers CLIPTextConfig and CLIPVisionConfig.
public final class NetworkFactory {
    private static final Map<String, UNet.BlockType> DOWN_BLOCKS = Map.of("CrossAttnDownBlock2D",
            UNet.BlockType.CROSS_ATTENTION, "DownBlock2D", UNet.BlockType.PLAIN);
    private static final Map<String, UNet.BlockType> UP_BLOCKS = Map.of("CrossAttnUpBlock2D",
            UNet.BlockType.CROSS_ATTENTION, "UpBlock2D", UNet.BlockType.PLAIN);

    /// More than any published network has.
    private static final int MAX_LAYERS = 256;

    private static final int MAX_LEVELS = 16;
    private static final int MAX_TOKENS = 1 << 16;

    private NetworkFactory() {}

    /// The network of a model's component.
    static Network network(Component component, ModelConfig config) throws Failure {
        return switch (component.kind()) {
            case UNET -> unet(config);
            case VAE -> vae(config);
            case TEXT_ENCODER -> textEncoder(component, config);
            case IMAGE_ENCODER -> imageEncoder(config, config.positiveInteger("projection_dim", 512));
            case TAESD, CLASSIFIER ->
                    throw new IllegalArgumentException(component.folder() + ": is no component of a diffusion model");
        };
    }

    /// @throws Failure.Incompatible for an unsupported architecture, such as SDXL's text conditioning
    public static UNet unet(ModelConfig config) throws Failure {
        requireSupportedUnet(config);
        List<UNet.BlockType> down = blocks(config, "down_block_types", DOWN_BLOCKS,
                List.of("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"));
        List<UNet.BlockType> up = blocks(config, "up_block_types", UP_BLOCKS,
                List.of("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"));
        if (!up.reversed().equals(down)) {
            throw new Failure.Incompatible(config.file() + ": up_block_types must mirror down_block_types, found "
                    + config.json().get("up_block_types"));
        }
        List<Integer> widths = config.integers("block_out_channels", List.of(320, 640, 1280, 1280), down.size());
        // attention_head_dim is a misnomer of diffusers: it is the number of heads.
        String headsKey = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
        List<Integer> heads = config.integers(headsKey, Collections.nCopies(down.size(), 8), down.size());
        if (widths.size() != down.size() || heads.size() != down.size()) {
            throw config.invalid("block_out_channels and " + headsKey, down.size() + " values, one per down block",
                    config.json().get(headsKey));
        }
        List<UNet.Level> levels = new ArrayList<>();
        for (int i = 0; i < down.size(); i++) levels.add(new UNet.Level(widths.get(i), heads.get(i), down.get(i)));
        int groups = config.positiveInteger("norm_num_groups", 32);
        checkDivides(config, widths, groups, "norm_num_groups");
        for (UNet.Level level : levels) checkDivides(config, List.of(level.channels()), level.heads(), headsKey);
        return new UNet(
                new UNet.Channels(config.positiveInteger("in_channels", 4), config.positiveInteger("out_channels", 4)),
                List.copyOf(levels),
                config.count("layers_per_block", 2, MAX_LAYERS), config.positiveInteger("cross_attention_dim", 1280),
                new UNet.Norm(groups, config.number("norm_eps", 1e-5)),
                config.bool("use_linear_projection", false) ? UNet.Projection.LINEAR : UNet.Projection.CONV,
                timestepFeatures(config, widths.getFirst()));
    }

    private static UNet.SinusoidalEmbedding timestepFeatures(ModelConfig config, int width) throws Failure {
        UNet.SinusoidalEmbedding.Order order = config.bool("flip_sin_to_cos", true)
                ? UNet.SinusoidalEmbedding.Order.COSINE_SINE
                : UNet.SinusoidalEmbedding.Order.SINE_COSINE;
        return new UNet.SinusoidalEmbedding(width, order, config.number("freq_shift", 0));
    }

    private static void requireSupportedUnet(ModelConfig config) throws Failure {
        config.requireSupported("_class_name", new JsonPrimitive("UNet2DConditionModel"));
        for (String key : List.of("addition_embed_type", "class_embed_type", "encoder_hid_dim", "encoder_hid_dim_type",
                "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim",
                "cross_attention_norm", "num_class_embeds", "reverse_transformer_layers_per_block",
                "time_embedding_dim")) {
            config.requireSupported(key, JsonNull.INSTANCE);
        }
        for (String key : List.of("center_input_sample", "dual_cross_attention", "only_cross_attention",
                "class_embeddings_concat", "resnet_skip_time_act"))
            config.requireSupported(key, new JsonPrimitive(false));
        for (String key : List.of("conv_in_kernel", "conv_out_kernel"))
            config.requireSupported(key, new JsonPrimitive(3));
        for (String key : List.of("downsample_padding", "mid_block_scale_factor", "transformer_layers_per_block",
                "resnet_out_scale_factor")) {
            if (config.has(key) && config.number(key, 1) != 1)
                throw new Failure.Incompatible(config.file() + ": " + key + " = " + SafeText.of(config.json().get(key))
                        + " is not supported; only 1 is");
        }
        config.requireSupported("act_fn", new JsonPrimitive("silu"));
        config.requireSupported("mid_block_type", new JsonPrimitive("UNetMidBlock2DCrossAttn"));
        config.requireSupported("resnet_time_scale_shift", new JsonPrimitive("default"));
        config.requireSupported("time_embedding_type", new JsonPrimitive("positional"));
        config.requireSupported("attention_type", new JsonPrimitive("default"));
    }

    public static Vae vae(ModelConfig config) throws Failure {
        config.requireSupported("_class_name", new JsonPrimitive("AutoencoderKL"));
        config.requireSupported("act_fn", new JsonPrimitive("silu"));
        for (String key : List.of("mid_block_add_attention", "use_quant_conv", "use_post_quant_conv"))
            config.requireSupported(key, new JsonPrimitive(true));
        for (String key : List.of("shift_factor", "latents_mean", "latents_std"))
            config.requireSupported(key, JsonNull.INSTANCE);
        List<Integer> widths = config.integers("block_out_channels", List.of(64), 1);
        for (String key : List.of("down_block_types", "up_block_types")) {
            String block = key.startsWith("down") ? "DownEncoderBlock2D" : "UpDecoderBlock2D";
            if (!config.strings(key, Collections.nCopies(widths.size(), block))
                    .equals(Collections.nCopies(widths.size(), block))) {
                throw config.invalid(key, widths.size() + " × " + block, config.json().get(key));
            }
        }
        config.requireSupported("out_channels", new JsonPrimitive(config.positiveInteger("in_channels", 3)));
        int groups = config.positiveInteger("norm_num_groups", 32);
        checkDivides(config, widths, groups, "norm_num_groups");
        return new Vae(config.positiveInteger("in_channels", 3), config.positiveInteger("latent_channels", 4), widths,
                config.count("layers_per_block", 1, MAX_LAYERS), groups, config.number("scaling_factor", 0.18215));
    }

    public static ClipTextModel textEncoder(Component component, ModelConfig config) throws Failure {
        int maxTokens = config.count("max_position_embeddings", 77, MAX_TOKENS);
        if (maxTokens < 2)
            throw config.invalid("max_position_embeddings", "at least 2, for the start and stop tokens",
                    config.json().get("max_position_embeddings"));
        return new ClipTextModel(component, config.positiveInteger("vocab_size", 49408), maxTokens,
                transformer(config, new ClipDefaults(512, 2048, 8)));
    }

    /// @param projectionDim dimension of the image embeddings
    public static ClipVisionModel imageEncoder(ModelConfig config, int projectionDim) throws Failure {
        ClipVisionModel.Patches patches = new ClipVisionModel.Patches(config.positiveInteger("num_channels", 3),
                config.positiveInteger("image_size", 224), config.positiveInteger("patch_size", 32));
        if (patches.imageSize() < patches.patchSize())
            throw new Failure.Incompatible(config.file() + ": patch_size = " + patches.patchSize()
                    + " is larger than image_size = " + patches.imageSize());
        return new ClipVisionModel(patches, transformer(config, new ClipDefaults(768, 3072, 12)), projectionDim);
    }

    /// Defaults of a reference class.
    private record ClipDefaults(int hiddenSize, int intermediateSize, int heads) {}

    private static ClipTransformer transformer(ModelConfig config, ClipDefaults defaults) throws Failure {
        String hiddenAct = config.string("hidden_act", "quick_gelu");
        ClipTransformer.Activation activation = switch (hiddenAct) {
            case "quick_gelu" -> ClipTransformer.Activation.QUICK_GELU;
            case "gelu" -> ClipTransformer.Activation.GELU;
            default -> throw new Failure.Incompatible(config.file() + ": hidden_act = " + SafeText.of(hiddenAct)
                    + " is not supported; quick_gelu and gelu are");
        };
        int width = config.positiveInteger("hidden_size", defaults.hiddenSize);
        int heads = config.positiveInteger("num_attention_heads", defaults.heads);
        checkDivides(config, List.of(width), heads, "num_attention_heads");
        return new ClipTransformer(width, config.positiveInteger("intermediate_size", defaults.intermediateSize),
                config.count("num_hidden_layers", 12, MAX_LAYERS), heads, activation,
                config.number("layer_norm_eps", 1e-5));
    }

    private static void checkDivides(ModelConfig config, List<Integer> widths, int divisor, String key) throws Failure {
        for (int width : widths) {
            if (width % divisor != 0)
                throw new Failure.Incompatible(
                        config.file() + ": " + key + " = " + divisor + " does not divide the width " + width);
        }
    }

    private static List<UNet.BlockType> blocks(ModelConfig config, String key, Map<String, UNet.BlockType> supported,
            List<String> defaults) throws Failure {
        List<UNet.BlockType> blocks = new ArrayList<>();
        for (String name : config.strings(key, defaults)) {
            UNet.BlockType block = supported.get(name);
            if (block == null)
                throw new Failure.Incompatible(config.file() + ": " + key + ": " + SafeText.of(name)
                        + " is not supported; only " + supported.keySet().stream().sorted().toList() + " are");
            blocks.add(block);
        }
        if (blocks.isEmpty() || blocks.size() > MAX_LEVELS)
            throw config.invalid(key, "1 to " + MAX_LEVELS + " blocks", config.json().get(key));
        return blocks;
    }
}
