package atomstudio.diffusion.model;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Key mappings of a single file in the LDM layout: each component has a prefix followed by the original names.
final class LdmLayout {
    static final String UNET_PREFIX = "model.diffusion_model.";
    static final String VAE_PREFIX = "first_stage_model.";
    static final String TEXT_ENCODER_PREFIX = "cond_stage_model.transformer.";
    static final String OPEN_CLIP_PREFIX = "cond_stage_model.model.";
    private static final String SDXL_PREFIX = "conditioner.embedders.";
    /// The alternatives of the first text encoder, then of the second.
    private static final List<List<TextEncoder>> TEXT_ENCODERS = List.of(
            List.of(new TextEncoder(OPEN_CLIP_PREFIX, TextNames.OPEN_CLIP),
                    new TextEncoder(TEXT_ENCODER_PREFIX, TextNames.TRANSFORMERS),
                    new TextEncoder(SDXL_PREFIX + "0.transformer.", TextNames.TRANSFORMERS)),
            List.of(new TextEncoder(SDXL_PREFIX + "1.model.", TextNames.OPEN_CLIP)));
    private static final String FUSED_PROJECTION = ".attn.in_proj_";
    private static final List<String> PROJECTIONS = List.of("q_proj", "k_proj", "v_proj");

    /// The library whose names a text encoder is stored under.
    enum TextNames { TRANSFORMERS, OPEN_CLIP }

    /// A text encoder in a file.
    record TextEncoder(String prefix, TextNames names) {
        private boolean isIn(Set<String> tensors) {
            return switch (names) {
                case TRANSFORMERS -> tensors.stream().anyMatch(name -> name.startsWith(prefix));
                case OPEN_CLIP -> tensors.contains(prefix + "token_embedding.weight");
            };
        }

        boolean isSdxl() { return prefix.startsWith(SDXL_PREFIX); }

        WeightLocation.KeyMapping mapping() {
            return withPrefix(prefix, switch (names) {
                case TRANSFORMERS -> WeightLocation.KeyMapping
                        .renaming(name -> DiffusersKeys.current(Component.Kind.TEXT_ENCODER, name));
                case OPEN_CLIP -> stored -> splitProjections(
                        WeightLocation.KeyMapping.renamed(stored, LdmKeys.openClip(stored.name())));
            });
        }
    }

    private LdmLayout() {}

    static WeightLocation.KeyMapping unet(Set<String> names) {
        int blocks = 1;
        while (names.contains(UNET_PREFIX + "input_blocks." + (blocks + 1) + ".0.in_layers.2.weight")) blocks++;
        int blocksPerLevel = blocks;
        return withPrefix(UNET_PREFIX, WeightLocation.KeyMapping.renaming(name -> LdmKeys.unet(name, blocksPerLevel)));
    }

    /// @param prefix empty for a file with the autoencoder alone
    static WeightLocation.KeyMapping vae(Set<String> names, String prefix) {
        int levels = 1;
        while (names.contains(prefix + "decoder.up." + levels + ".block.0.conv1.weight")) levels++;
        int levelCount = levels;
        UnaryOperator<String> diffusersKey = name -> DiffusersKeys.current(Component.Kind.VAE,
                LdmKeys.vae(name, levelCount));
        return withPrefix(prefix, stored -> List
                .of(toLinear(WeightLocation.KeyMapping.renamed(stored, diffusersKey.apply(stored.name())))));
    }

    /// The original autoencoder's attention uses 1×1 convolutions, which are equivalent to linear layers.
    private static TensorInfo toLinear(TensorInfo stored) {
        Shape shape = stored.shape();
        boolean isConvolution = stored.name().contains("mid_block.attentions.0.to_") && shape.rank() == 4
                && shape.size(2) == 1 && shape.size(3) == 1;
        return isConvolution
                ? new TensorInfo(stored.name(), stored.dtype(), Shape.of(shape.size(0), shape.size(1)), stored.offset(),
                        stored.byteLength())
                : stored;
    }

    /// The text encoders in a file, the first one first.
    static List<TextEncoder> textEncoders(Set<String> names) {
        return TEXT_ENCODERS.stream()
                .flatMap(alternatives -> alternatives.stream().filter(encoder -> encoder.isIn(names)).limit(1))
                .toList();
    }

    /// Splits a fused projection by rows into query, key and value.
    private static List<TensorInfo> splitProjections(TensorInfo stored) {
        int fusedAt = stored.name().indexOf(FUSED_PROJECTION);
        Shape shape = stored.shape();
        if (fusedAt < 0 || shape.rank() < 1 || shape.size(0) % PROJECTIONS.size() != 0) return List.of(stored);
        String layer = stored.name().substring(0, fusedAt) + ".self_attn.";
        long bytes = stored.byteLength() / PROJECTIONS.size();
        List<TensorInfo> parts = new ArrayList<>();
        for (String projection : PROJECTIONS) {
            parts.add(new TensorInfo(
                    layer + projection + "." + stored.name().substring(fusedAt + FUSED_PROJECTION.length()),
                    stored.dtype(), shape.with(0, shape.size(0) / PROJECTIONS.size()),
                    stored.offset() + parts.size() * bytes, bytes));
        }
        return parts;
    }

    private static WeightLocation.KeyMapping withPrefix(String prefix, WeightLocation.KeyMapping mapping) {
        return stored -> stored.name().startsWith(prefix)
                ? mapping.map(WeightLocation.KeyMapping.renamed(stored, stored.name().substring(prefix.length())))
                : List.of();
    }

    /// diffusers' names and the shapes of one component of a file.
    static Map<String, Shape> shapes(Iterable<TensorInfo> stored, WeightLocation.KeyMapping mapping) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (TensorInfo info : stored) mapping.map(info).forEach(mapped -> shapes.put(mapped.name(), mapped.shape()));
        return shapes;
    }
}
