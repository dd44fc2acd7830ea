package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.net.ConvNext;
import atomstudio.diffusion.net.EfficientNetLite;
import atomstudio.diffusion.net.ResNet;
import atomstudio.diffusion.net.VisionTransformer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Recognizes a classifier by its tensors, and maps timm's ViT to transformers' names.
/// @param tensors shapes by the network's names
record ClassifierNetworks(Path file, Map<String, Shape> tensors, ModelConfig config) {
    private static final int HEAD_DIM = 64;
    private static final double TIMM_VIT_EPSILON = 1e-6;
    private static final double TRANSFORMERS_VIT_EPSILON = 1e-12;
    private static final int MAX_SHOWN_NAMES = 3;

    private static final List<Integer> STRIDES = List.of(1, 2, 2, 2, 1, 2, 1);

    private static final String QKV = ".attn.qkv.";
    private static final List<String> PROJECTIONS = List.of("query", "key", "value");
    /// Parts of transformers' ViTModel, e.g. DINO's, whose names lack the prefix of the classifier.
    private static final List<String> BARE_VIT = List.of("embeddings.", "encoder.layer.", "layernorm.");
    private static final Map<String, String> TIMM_VIT_LAYERS = timmVitLayers();

    private static Map<String, String> timmVitLayers() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put(".norm1.", ".layernorm_before.");
        names.put(".norm2.", ".layernorm_after.");
        names.put(".attn.proj.", ".attention.output.dense.");
        names.put(".mlp.fc1.", ".intermediate.dense.");
        names.put(".mlp.fc2.", ".output.dense.");
        return names;
    }

    /// Names end in `.weight` or `.bias` in the network; timm's names of ViT become transformers', with query, key and
    /// value apart.
    static WeightLocation.KeyMapping mapping() {
        return stored -> {
            String name = stored.name();
            if (!name.endsWith(".weight") && !name.endsWith(".bias")) name += ".weight";
            int qkv = name.indexOf(QKV);
            return name.startsWith("blocks.") && qkv > 0 ? projections(stored, name, qkv)
                    : List.of(WeightLocation.KeyMapping.renamed(stored, vit(name)));
        };
    }

    private static List<TensorInfo> projections(TensorInfo stored, String name, int qkv) {
        String layer = "vit.encoder.layer." + name.substring("blocks.".length(), qkv) + ".attention.attention.";
        Shape shape = stored.shape();
        if (shape.rank() < 1 || shape.size(0) % PROJECTIONS.size() != 0) return List.of(stored);
        long bytes = stored.byteLength() / PROJECTIONS.size();
        List<TensorInfo> parts = new ArrayList<>();
        for (String projection : PROJECTIONS)
            parts.add(new TensorInfo(layer + projection + "." + name.substring(qkv + QKV.length()), stored.dtype(),
                    shape.with(0, shape.size(0) / PROJECTIONS.size()), stored.offset() + parts.size() * bytes, bytes));
        return parts;
    }

    private static String vit(String name) {
        if (BARE_VIT.stream().anyMatch(name::startsWith)) return "vit." + name;
        if (name.startsWith("blocks.")) {
            String renamed = "vit.encoder.layer." + name.substring("blocks.".length());
            for (Map.Entry<String, String> layer : TIMM_VIT_LAYERS.entrySet())
                renamed = renamed.replace(layer.getKey(), layer.getValue());
            return renamed;
        }
        return switch (name) {
            case "cls_token.weight" -> "vit.embeddings.cls_token.weight";
            case "pos_embed.weight" -> "vit.embeddings.position_embeddings.weight";
            case "patch_embed.proj.weight", "patch_embed.proj.bias" ->
                    "vit.embeddings.patch_embeddings.projection" + name.substring("patch_embed.proj".length());
            case "norm.weight", "norm.bias" -> "vit.layernorm" + name.substring("norm".length());
            case "head.weight", "head.bias" -> "classifier" + name.substring("head".length());
            default -> name;
        };
    }

    /// @throws Failure.Incompatible for another architecture
    Classifier network() throws Failure {
        if (tensors.containsKey("vit.embeddings.cls_token.weight")) return visionTransformer();
        if (tensors.containsKey("stages.0.blocks.0.conv_dw.weight")) return convNext();
        if (tensors.containsKey("layer1.0.conv1.weight") && tensors.containsKey("bn1.running_mean.weight"))
            return resNet();
        if (tensors.containsKey("_blocks.0._depthwise_conv.weight")) return efficientNetLite();
        throw new Failure.Incompatible(file + ": expected a ResNet, ConvNeXt, ViT or EfficientNet-Lite with the "
                + "names of timm, torchvision, transformers or efficientnet-lite-pytorch, found tensors such as "
                + tensors.keySet()
                        .stream()
                        .sorted()
                        .limit(MAX_SHOWN_NAMES)
                        .map(SafeText::of)
                        .collect(Collectors.joining(", ")));
    }

    private ResNet resNet() throws Failure {
        Shape stem = shape("conv1.weight", 4);
        ResNet.Block block = tensors.containsKey("layer1.0.conv3.weight") ? ResNet.Block.BOTTLENECK
                : ResNet.Block.BASIC;
        List<ResNet.Stage> stages = new ArrayList<>();
        for (int i = 1; tensors.containsKey("layer" + i + ".0.conv1.weight"); i++) {
            String first = "layer" + i + ".0.";
            Shape conv1 = shape(first + "conv1.weight", 4), conv2 = shape(first + "conv2.weight", 4);
            Shape last = block == ResNet.Block.BOTTLENECK ? shape(first + "conv3.weight", 4) : conv2;
            int groups = block == ResNet.Block.BOTTLENECK ? size(conv1, 0) / size(conv2, 1) : 1;
            stages.add(new ResNet.Stage(count("layer" + i + ".", ".conv1.weight"), size(conv1, 0), size(last, 0),
                    groups));
        }
        return new ResNet(size(stem, 1), size(stem, 0), stages, block, classes("fc"));
    }

    private ConvNext convNext() throws Failure {
        Shape stem = shape("stem.0.weight", 4);
        List<ConvNext.Stage> stages = new ArrayList<>();
        for (int i = 0; tensors.containsKey("stages." + i + ".blocks.0.conv_dw.weight"); i++) {
            String blocks = "stages." + i + ".blocks.";
            Shape mlp = shape(blocks + "0.mlp.fc1.weight", 2);
            stages.add(new ConvNext.Stage(count(blocks, ".conv_dw.weight"), size(mlp, 1), size(mlp, 0)));
        }
        return new ConvNext(size(stem, 1), size(stem, 2), stages, classes("head.fc"));
    }

    private VisionTransformer visionTransformer() throws Failure {
        Shape patches = shape("vit.embeddings.patch_embeddings.projection.weight", 4);
        long tokens = shape("vit.embeddings.position_embeddings.weight", 3).size(1);
        int perSide = (int) Math.round(Math.sqrt(tokens - 1.0));
        if (1L + (long) perSide * perSide != tokens)
            throw new Failure.Incompatible(file + ": position embeddings: expected a class token and a square of "
                    + "patches, found " + tokens + " tokens");
        int width = size(patches, 0), patchSize = size(patches, 2);
        boolean isTransformers = config.has("model_type");
        int heads = config.has("num_attention_heads") ? config.positiveInteger("num_attention_heads", 1)
                : config.section("model_args").positiveInteger("num_heads", Math.max(1, width / HEAD_DIM));
        if (width % heads != 0)
            throw new Failure.Incompatible(config.file() + ": " + heads + " heads do not divide the width " + width);
        double epsilon = config.number("layer_norm_eps", isTransformers ? TRANSFORMERS_VIT_EPSILON : TIMM_VIT_EPSILON);
        int depth = count("vit.encoder.layer.", ".layernorm_before.weight");
        int mlpWidth = depth == 0 ? width : size(shape("vit.encoder.layer.0.intermediate.dense.weight", 2), 0);
        return new VisionTransformer(size(patches, 1), perSide * patchSize, patchSize,
                new VisionTransformer.Encoder(width, mlpWidth, depth, heads, epsilon), classes("classifier"));
    }

    /// A stage ends where the width changes; strides are those of the published networks.
    private EfficientNetLite efficientNetLite() throws Failure {
        if (tensors.containsKey("_blocks.0._se_reduce.weight"))
            throw new Failure.Incompatible(
                    file + ": is an EfficientNet with squeeze and excitation; EfficientNet-Lite, "
                            + "without it, is supported");
        Shape stem = shape("_conv_stem.weight", 4);
        List<EfficientNetLite.Stage> stages = new ArrayList<>();
        int inputs = size(stem, 0), blocks = count("_blocks.", "._project_conv.weight");
        for (int i = 0; i < blocks; i++) {
            Shape depthwise = shape("_blocks." + i + "._depthwise_conv.weight", 4);
            int width = size(shape("_blocks." + i + "._project_conv.weight", 4), 0);
            if (!stages.isEmpty() && stages.getLast().width() == width) {
                EfficientNetLite.Stage last = stages.removeLast();
                stages.add(new EfficientNetLite.Stage(last.depth() + 1, width, last.kernelSize(), last.stride(),
                        last.expansion()));
            } else if (stages.size() < STRIDES.size()) {
                stages.add(new EfficientNetLite.Stage(1, width, size(depthwise, 2), STRIDES.get(stages.size()),
                        size(depthwise, 0) / inputs));
            } else {
                throw new Failure.Incompatible(file + ": expected " + STRIDES.size() + " stages of blocks, found more");
            }
            inputs = width;
        }
        return new EfficientNetLite(size(stem, 0), stages, size(shape("_conv_head.weight", 4), 0), classes("_fc"));
    }

    /// Outputs of the head; 1 without a head, which training replaces.
    private int classes(String head) {
        Shape weight = tensors.get(head + ".weight");
        return weight == null || weight.rank() != 2 ? 1 : size(weight, 0);
    }

    private Shape shape(String key, int rank) throws Failure {
        Shape shape = tensors.get(key);
        if (shape == null || shape.rank() != rank || shape.elements() == 0)
            throw new Failure.Incompatible(file + ": " + key + ": expected a tensor with " + rank + " axes, found "
                    + (shape == null ? "none" : shape) + "; the file may be incomplete, or of another architecture");
        return shape;
    }

    private int count(String prefix, String suffix) {
        int count = 0;
        while (tensors.containsKey(prefix + count + suffix)) count++;
        return count;
    }

    private static int size(Shape shape, int axis) {
        return Math.toIntExact(shape.size(axis));
    }
}
