package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The linear layers of a model's attention in the order in which cloneofsimo's lora counts them.
final class IndexedLayers {
    /// Of a transformer block and of a text encoder's block.
    private static final List<String> LAYER_SUFFIXES = List.of("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
            "self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj");
    private static final List<String> UNET_SECTIONS = List.of("down_blocks.", "up_blocks.", "mid_block.");

    private IndexedLayers() {}

    /// @param layers the layers of one part, in the network's order
    static List<Layer> of(List<Layer> layers) {
        List<Layer> indexed = new ArrayList<>(layers.stream().filter(layer -> indexInBlock(layer).isPresent()).toList());
        List<String> order = indexed.stream().map(IndexedLayers::block).distinct().toList();
        indexed.sort(Comparator.comparingInt(IndexedLayers::section).thenComparingInt(layer -> order.indexOf(block(layer))).thenComparingInt(layer -> indexInBlock(layer).orElseThrow()));
        return List.copyOf(indexed);
    }

    private static Optional<Integer> indexInBlock(Layer layer) {
        return IntStream.range(0, LAYER_SUFFIXES.size()).filter(i -> layer.name().endsWith("." + LAYER_SUFFIXES.get(i))).boxed().findFirst();
    }

    private static String block(Layer layer) {
        return layer.name().substring(0, layer.name().length() - LAYER_SUFFIXES.get(indexInBlock(layer).orElseThrow()).length());
    }

    /// The half of the UNet; these programs met the middle last.
    private static int section(Layer layer) {
        return IntStream.range(0, UNET_SECTIONS.size()).filter(i -> layer.name().startsWith(UNET_SECTIONS.get(i))).findFirst().orElse(0);
    }
}
