package atomstudio.diffusion.model;

import atomstudio.diffusion.net.ClipTransformer;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A tensor of a model written as one file of the LDM layout, the inverse of [LdmLayout].
/// @param sources diffusers' names of the tensors whose rows it holds; several for a fused projection
public record LdmTensor(String name, Shape shape, Component component, List<String> sources) {
    private static final String ATTENTION = "mid_block.attentions.0.";
    private static final List<String> PROJECTIONS = List.of("q_proj", "k_proj", "v_proj");

    /// The tensors of all layers of a model. The text encoder has OpenCLIP's names if its activation is OpenCLIP's.
    public static List<LdmTensor> of(DiffusionModel model) {
        List<LdmTensor> tensors = new ArrayList<>();
        List<Layer> unet = model.layers(Component.UNET);
        LdmKeys.FromDiffusers keys = new LdmKeys.FromDiffusers(unet.stream().map(Layer::path).toList());
        for (Layer layer : unet)
            add(tensors, Component.UNET, layer, LdmLayout.UNET_PREFIX + keys.ldmKey(layer.path()));
        int levels = model.vae().levels();
        for (Layer layer : model.layers(Component.VAE))
            add(tensors, Component.VAE, layer, LdmLayout.VAE_PREFIX + vaeKey(layer.path(), levels));
        List<Layer> text = model.layers(Component.TEXT_ENCODER);
        if (model.textEncoder().transformer().activation() == ClipTransformer.Activation.GELU) {
            tensors.addAll(openClip(text));
        } else {
            for (Layer layer : text)
                add(tensors, Component.TEXT_ENCODER, layer, LdmLayout.TEXT_ENCODER_PREFIX + layer.path());
        }
        return List.copyOf(tensors);
    }

    private static void add(List<LdmTensor> tensors, Component component, Layer layer, String name) {
        Shape weight = layer.weightShape();
        boolean isProjection = component.equals(Component.VAE) && layer.kind() == Layer.Kind.LINEAR;
        // The original autoencoder's attention uses 1×1 convolutions.
        Shape stored = isProjection ? Shape.of(weight.size(0), weight.size(1), 1, 1) : weight;
        tensors.add(new LdmTensor(name + ".weight", stored, component, List.of(layer.weightKey())));
        if (layer.hasBias())
            tensors.add(new LdmTensor(name + ".bias", layer.biasShape(), component, List.of(layer.biasKey())));
    }

    /// @param levels of the decoder, whose original names count from the finest level
    private static String vaeKey(String layer, int levels) {
        int attention = layer.indexOf(ATTENTION);
        if (attention >= 0)
            return layer.substring(0, attention) + "mid.attn_1."
                    + withoutDot(inverse(layer.substring(attention + ATTENTION.length()) + ".",
                            LdmKeys.VAE_ATTENTION_PREFIXES));
        String name = layer.replace("mid_block.resnets.0.", "mid.block_1.")
                .replace("mid_block.resnets.1.", "mid.block_2.")
                .replace("conv_norm_out", "norm_out")
                .replace("conv_shortcut", "nin_shortcut");
        String[] parts = name.split("\\.", 6);
        if (parts.length < 6 || !parts[1].endsWith("_blocks")) return name;
        boolean isDecoder = parts[0].equals("decoder");
        int level = isDecoder ? levels - 1 - Integer.parseInt(parts[2]) : Integer.parseInt(parts[2]);
        String block = parts[0] + (isDecoder ? ".up." : ".down.") + level;
        return switch (parts[3]) {
            case "resnets" -> block + ".block." + parts[4] + "." + parts[5];
            case "downsamplers" -> block + ".downsample." + parts[5];
            default -> block + ".upsample." + parts[5];
        };
    }

    private static List<LdmTensor> openClip(List<Layer> layers) {
        List<LdmTensor> tensors = new ArrayList<>();
        Map<String, List<String>> fused = new LinkedHashMap<>();
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (Layer layer : layers) {
            String name = openClipKey(layer.path());
            int projection = PROJECTIONS.indexOf(layer.path().substring(layer.path().lastIndexOf('.') + 1));
            if (projection < 0) {
                add(tensors, Component.TEXT_ENCODER, layer, name);
                continue;
            }
            for (boolean isBias : new boolean[] {false, true}) {
                String key = name.substring(0, name.lastIndexOf(".self_attn.")) + ".attn.in_proj_"
                        + (isBias ? "bias" : "weight");
                Shape shape = isBias ? layer.biasShape() : layer.weightShape();
                fused.computeIfAbsent(key, _ -> new ArrayList<>(PROJECTIONS))
                        .set(projection, isBias ? layer.biasKey() : layer.weightKey());
                shapes.put(key, shape.with(0, shape.size(0) * PROJECTIONS.size()));
            }
        }
        fused.forEach((key, sources) -> tensors.add(
                new LdmTensor(key, shapes.get(key), Component.TEXT_ENCODER, List.copyOf(sources))));
        return tensors.stream().map(LdmTensor::withParameterName).toList();
    }

    /// OpenCLIP's position embedding is a parameter, not a layer.
    private LdmTensor withParameterName() {
        return name.endsWith(".positional_embedding.weight")
                ? new LdmTensor(name.substring(0, name.lastIndexOf('.')), shape, component, sources)
                : this;
    }

    private static String openClipKey(String layer) {
        String name = layer.replaceFirst("^text_model\\.", "")
                .replace("embeddings.position_embedding", "positional_embedding")
                .replace("embeddings.token_embedding", "token_embedding")
                .replace("final_layer_norm", "ln_final");
        String[] parts = name.split("\\.", 4);
        if (!name.startsWith("encoder.layers.")) return LdmLayout.OPEN_CLIP_PREFIX + name;
        return LdmLayout.OPEN_CLIP_PREFIX + "transformer.resblocks." + parts[2] + "."
                + withoutDot(inverse(parts[3] + ".", LdmKeys.OPEN_CLIP_PREFIXES));
    }

    private static String inverse(String name, Map<String, String> replacements) {
        for (Map.Entry<String, String> entry : replacements.entrySet()) {
            if (name.startsWith(entry.getValue())) return entry.getKey() + name.substring(entry.getValue().length());
        }
        return name;
    }

    private static String withoutDot(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }
}
