package atomstudio.diffusion.model;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/// How a single file of the original layout names the parts of a model: a prefix each, and the original code's names behind it.
final class OriginalLayout {
    static final String UNET = "model.diffusion_model.";
    static final String VAE = "first_stage_model.";
    static final String TEXT = "cond_stage_model.transformer.";
    static final String OPEN_CLIP = "cond_stage_model.model.";
    private static final String FUSED = ".attn.in_proj_";
    private static final List<String> PROJECTIONS = List.of("q_proj", "k_proj", "v_proj");

    private OriginalLayout() {}

    static Naming unet(Set<String> names) {
        int blocks = 1;
        while (names.contains(UNET + "input_blocks." + (blocks + 1) + ".0.in_layers.2.weight")) blocks++;
        int each = blocks;
        return within(UNET, Naming.renaming(name -> OriginalNames.unet(name, each)));
    }

    /// @param prefix empty where a file holds the autoencoder alone
    static Naming vae(Set<String> names, String prefix) {
        int levels = 1;
        while (names.contains(prefix + "decoder.up." + levels + ".block.0.conv1.weight")) levels++;
        int all = levels;
        UnaryOperator<String> today = name -> Part.VAE.canonical(OriginalNames.vae(name, all));
        return within(prefix, stored -> List.of(linear(Naming.renamed(stored, today.apply(stored.name())))));
    }

    /// The original attention of the autoencoder is of 1×1 convolutions; as numbers they are linear layers.
    private static TensorInfo linear(TensorInfo stored) {
        Shape shape = stored.shape();
        boolean convolution = stored.name().contains("mid_block.attentions.0.to_") && shape.rank() == 4 && shape.size(2) == 1 && shape.size(3) == 1;
        return convolution ? new TensorInfo(stored.name(), stored.dtype(), Shape.of(shape.size(0), shape.size(1)), stored.offset(), stored.bytes()) : stored;
    }

    static Naming text() {
        return within(TEXT, Naming.renaming(Part.TEXT::canonical));
    }

    static Naming openClip() {
        return within(OPEN_CLIP, stored -> unfused(Naming.renamed(stored, OriginalNames.openClip(stored.name()))));
    }

    /// Queries, keys and values of all heads lie one after the other in rows.
    private static List<TensorInfo> unfused(TensorInfo stored) {
        int at = stored.name().indexOf(FUSED);
        Shape shape = stored.shape();
        if (at < 0 || shape.rank() < 1 || shape.size(0) % PROJECTIONS.size() != 0) return List.of(stored);
        String layer = stored.name().substring(0, at) + ".self_attn.";
        long bytes = stored.bytes() / PROJECTIONS.size();
        List<TensorInfo> parts = new ArrayList<>();
        for (String projection : PROJECTIONS) {
            parts.add(new TensorInfo(layer + projection + "." + stored.name().substring(at + FUSED.length()), stored.dtype(), shape.with(0, shape.size(0) / PROJECTIONS.size()),
                    stored.offset() + parts.size() * bytes, bytes));
        }
        return parts;
    }

    private static Naming within(String prefix, Naming naming) {
        return stored -> stored.name().startsWith(prefix) ? naming.of(Naming.renamed(stored, stored.name().substring(prefix.length()))) : List.of();
    }

    /// Today's names and shapes of one part of a file.
    static Map<String, Shape> shapes(Iterable<TensorInfo> stored, Naming naming) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (TensorInfo info : stored) naming.of(info).forEach(part -> shapes.put(part.name(), part.shape()));
        return shapes;
    }
}
