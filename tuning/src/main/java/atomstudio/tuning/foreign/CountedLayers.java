package atomstudio.tuning.foreign;

import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The linear layers of a model's attention in the order in which cloneofsimo's lora counts them.
final class CountedLayers {
    /// Of a transformer block and of a text encoder's block.
    private static final List<String> COUNTED = List.of("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
            "self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj");
    private static final List<String> HALVES = List.of("down_blocks.", "up_blocks.", "mid_block.");

    private CountedLayers() {}

    /// @param part the layers of one part, in the network's order
    static List<Layer> of(List<Layer> part) {
        List<Layer> blocks = new ArrayList<>(part.stream().filter(layer -> place(layer).isPresent()).toList());
        List<String> order = blocks.stream().map(CountedLayers::block).distinct().toList();
        blocks.sort(Comparator.comparingInt(CountedLayers::half).thenComparingInt(layer -> order.indexOf(block(layer))).thenComparingInt(layer -> place(layer).orElseThrow()));
        return List.copyOf(blocks);
    }

    private static Optional<Integer> place(Layer layer) {
        return IntStream.range(0, COUNTED.size()).filter(i -> layer.name().endsWith("." + COUNTED.get(i))).boxed().findFirst();
    }

    private static String block(Layer layer) {
        return layer.name().substring(0, layer.name().length() - COUNTED.get(place(layer).orElseThrow()).length());
    }

    /// The half of the UNet; these programs met the middle last.
    private static int half(Layer layer) {
        return IntStream.range(0, HALVES.size()).filter(i -> layer.name().startsWith(HALVES.get(i))).findFirst().orElse(0);
    }
}
