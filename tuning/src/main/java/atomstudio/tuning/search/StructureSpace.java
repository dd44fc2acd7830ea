package atomstudio.tuning.search;

import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraTerms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The structures of a supernet: one per layer, in the network's order.
public record StructureSpace(List<Layer> layers, int rank) {
    private static final String SEPARATOR = " ";
    /// Draws until the parameters fit the budget, before terms are left out.
    private static final int MAX_DRAWS = 100;

    public StructureSpace {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) throw new IllegalArgumentException("layers: expected at least one, found none");
    }

    public long parameterCount(List<GloraStructure> structures) {
        long count = 0;
        for (int i = 0; i < layers.size(); i++)
            count += GloraTerms.parameterCount(structures.get(i), layers.get(i), rank);
        return count;
    }

    /// Parameters of LoRA of the same rank on the same layers.
    public long loraParameterCount() {
        return layers.stream().mapToLong(layer -> rank * (layer.fanIn() + layer.weightShape().size(0))).sum();
    }

    /// Within the budget: drawn until it fits, or, after many draws, with layers left out at random.
    List<GloraStructure> random(long budget, GloraStructure.RandomNumbers random) {
        List<GloraStructure> structures = draw(random);
        for (int draw = 1; !fits(structures, budget) && draw < MAX_DRAWS; draw++) structures = draw(random);
        List<GloraStructure> thinned = new ArrayList<>(structures);
        while (parameterCount(thinned) > budget)
            thinned.set((int) (random.next() * layers.size()), GloraStructure.NONE);
        return thinned;
    }

    /// Whether it has parameters, and no more than the budget.
    boolean fits(List<GloraStructure> structures, long budget) {
        long count = parameterCount(structures);
        return count > 0 && count <= budget;
    }

    private List<GloraStructure> draw(GloraStructure.RandomNumbers random) {
        return layers.stream().map(layer -> GloraStructure.random(random).on(layer)).toList();
    }

    /// Every form of every layer drawn again with a probability.
    List<GloraStructure> mutated(List<GloraStructure> parent, double probability, GloraStructure.RandomNumbers random) {
        List<GloraStructure> child = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++)
            child.add(parent.get(i).mutated(probability, random).on(layers.get(i)));
        return child;
    }

    /// Every layer from one of two parents.
    List<GloraStructure> crossed(List<GloraStructure> first, List<GloraStructure> second,
            GloraStructure.RandomNumbers random) {
        List<GloraStructure> child = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) child.add((random.next() < 0.5 ? first : second).get(i));
        return child;
    }

    public Map<String, GloraStructure> byLayer(List<GloraStructure> structures) {
        Map<String, GloraStructure> byLayer = new LinkedHashMap<>();
        for (int i = 0; i < layers.size(); i++) byLayer.put(layers.get(i).name(), structures.get(i));
        return byLayer;
    }

    /// Five letters per layer, separated by spaces.
    static String text(List<GloraStructure> structures) {
        return structures.stream().map(GloraStructure::toString).collect(Collectors.joining(SEPARATOR));
    }

    /// @throws IllegalArgumentException if it is not of this space
    List<GloraStructure> parse(String text) {
        List<GloraStructure> structures = Stream.of(text.split(SEPARATOR)).map(GloraStructure::parse).toList();
        if (structures.size() != layers.size())
            throw new IllegalArgumentException(
                    "structure: expected " + layers.size() + " layers, found " + structures.size());
        return structures;
    }
}
