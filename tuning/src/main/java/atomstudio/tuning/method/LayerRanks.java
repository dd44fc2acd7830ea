package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The rank of each layer of a low-rank adapter.
/// @param ranks by layer name
public record LayerRanks(Map<String, Integer> ranks) {
    public LayerRanks {
        ranks = Map.copyOf(ranks);
        if (ranks.isEmpty()) throw new IllegalArgumentException("ranks: expected at least one layer, found none");
    }

    /// The settings of a method with these ranks on exactly these layers. The most common rank is the method's.
    /// @param scale   α/r of all layers
    /// @param network all layers of the model
    public MethodSettings settings(MethodName method, double scale, List<Layer> network) {
        Map<Integer, List<String>> byRank = network.stream()
                .map(Layer::name)
                .filter(ranks::containsKey)
                .collect(Collectors.groupingBy(ranks::get, TreeMap::new, Collectors.toList()));
        int common = byRank.entrySet()
                .stream()
                .max(Comparator.comparingInt(entry -> entry.getValue().size()))
                .orElseThrow()
                .getKey();
        byRank.remove(common);
        Map<MethodSetting, String> settings = new EnumMap<>(MethodSetting.class);
        settings.put(MethodSetting.RANK, Integer.toString(common));
        settings.put(MethodSetting.ALPHA, Double.toString(scale * common));
        settings.put(MethodSetting.LAYERS, LayerSelector.of(
                network.stream().filter(layer -> ranks.containsKey(layer.name())).toList(), network).toString());
        settings.put(MethodSetting.RANK_PATTERN, byRank.entrySet()
                .stream()
                .map(entry -> String.join(",", entry.getValue()) + "=" + entry.getKey())
                .collect(Collectors.joining(";")));
        return new MethodSettings(method, settings);
    }
}
