package atomstudio.tuning.foreign;

import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// A model's layers by the names that other programs have for them.
public final class ForeignLayers {
    /// Of a transformer block and of a text encoder's block, in the order in which the programs that count saw them.
    private static final List<String> COUNTED = List.of("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.0.proj", "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
            "self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj");
    private static final List<String> HALVES = List.of("down_blocks.", "up_blocks.", "mid_block.");

    private final Map<String, Layer> byPath = new HashMap<>();
    private final Map<ForeignName.Place.Joined, Layer> joined = new HashMap<>();
    private final Map<Part, List<Layer>> counted = new HashMap<>();

    /// @param layers of the UNet and the text encoder
    public ForeignLayers(List<Layer> layers) {
        for (Layer layer : layers) {
            byPath.put(layer.name(), layer);
            joined.put(new ForeignName.Place.Joined(Part.ofTunable(layer.name()), layer.name().replace('.', '_')), layer);
        }
        for (Part part : List.of(Part.UNET, Part.TEXT)) counted.put(part, inOrder(layers.stream().filter(layer -> Part.ofTunable(layer.name()) == part).toList()));
    }

    private static List<Layer> inOrder(List<Layer> layers) {
        List<Layer> blocks = new ArrayList<>(layers.stream().filter(layer -> place(layer).isPresent()).toList());
        List<String> order = blocks.stream().map(ForeignLayers::block).distinct().toList();
        blocks.sort(Comparator.comparingInt(ForeignLayers::half).thenComparingInt(layer -> order.indexOf(block(layer))).thenComparingInt(layer -> place(layer).orElseThrow()));
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

    /// The layer that is meant, where the model has it.
    public Optional<Layer> find(ForeignName.Place place) {
        return Optional.ofNullable(switch (place) {
            case ForeignName.Place.Path(String name) -> byPath.get(name);
            case ForeignName.Place.Joined name -> joined.get(name);
            case ForeignName.Place.Counted(Part part, int index) -> index < counted.get(part).size() ? counted.get(part).get(index) : null;
        });
    }
}
