package atomstudio.tuning.interop;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// Layers of an adapter of another program as parameters of the method that trains their kind. Rank, alpha and layers
/// follow from the tensors.
public final class TrainedLayers {
    /// Begins the messages.
    public static final String DOES_NOT_FIT = "cannot be converted to a method of this program: ";

    private final Map<String, LayerDelta> deltas;
    private final Map<String, Map<String, Tensor>> tensors;
    private final List<Layer> network;
    private final Map<String, Layer> layers = new TreeMap<>();
    private final Map<String, Tensor> values = new HashMap<>();
    private final Map<String, Integer> ranks = new TreeMap<>();
    private double scale = 1;

    /// @param deltas  of an adapter's layers, by layer name
    /// @param tensors of these layers, by layer name and [AdapterTensorKey#parameter]
    /// @param network all layers of the model
    /// @param chosen  layers to convert
    public TrainedLayers(Map<String, LayerDelta> deltas, Map<String, Map<String, Tensor>> tensors,
            List<Layer> network, Predicate<Layer> chosen) {
        this.deltas = deltas;
        this.tensors = tensors;
        this.network = network;
        for (Layer layer : network)
            if (deltas.containsKey(layer.name()) && chosen.test(layer)) layers.put(layer.name(), layer);
    }

    public boolean isEmpty() { return layers.isEmpty(); }

    /// Whether a method trains what all layers have.
    public boolean isOfOneKind() { return kind().isPresent(); }

    /// The method with its settings; fills [#values], of a low-rank method also [#ranks] and [#scale].
    /// @throws IllegalArgumentException if the method does not have a layer's form
    public MethodSettings settings() {
        return kind().orElseThrow().trained(this);
    }

    /// The parameters by `LAYER.PARAMETER`.
    public Map<String, Tensor> values() {
        return values;
    }

    /// Of low-rank methods, by layer.
    public Map<String, Integer> ranks() {
        return ranks;
    }

    /// α/r.
    public double scale() {
        return scale;
    }

    /// The layers by name.
    Map<String, Layer> layers() {
        return layers;
    }

    /// Ranks and scale as settings of a low-rank method.
    MethodSettings ranked(MethodName method) {
        return new LayerRanks(ranks).settings(method, scale, network);
    }

    /// Sets α/r, if all layers have the same; else 1, and the scale is part of the parameters. Layers without the
    /// tensor that shows the rank have none.
    void setCommonScale(String rankedTensor) {
        ToDoubleFunction<Map<String, Tensor>> scaleOf = found -> {
            Tensor alpha = found.get(AdapterKind.ALPHA), ranked = found.get(rankedTensor);
            return alpha == null || ranked == null ? 1 : alpha.data()[0] / ranked.shape().size(0);
        };
        Set<Double> scales = layers.keySet()
                .stream()
                .map(name -> scaleOf.applyAsDouble(tensors(name)))
                .collect(Collectors.toSet());
        double common = scales.size() == 1 ? scales.iterator().next() : 1;
        scale = common > 0 ? common : 1;
    }

    /// The same LoRA with another α/r.
    public void rescale(double newScale) {
        values.replaceAll((key, value) -> key.endsWith(".B") ? value.scaled(scale / newScale) : value);
        scale = newScale;
    }

    private Optional<AdapterKind> kind() {
        Set<Optional<AdapterKind>> kinds = layers.keySet()
                .stream()
                .map(name -> AdapterKind.trained(tensors(name).keySet()))
                .collect(Collectors.toSet());
        return kinds.size() == 1 ? kinds.iterator().next() : Optional.empty();
    }

    Map<String, Tensor> tensors(String layer) {
        return tensors.get(layer);
    }

    LayerDelta delta(String layer) {
        return deltas.get(layer);
    }

    void put(String layer, String parameter, Tensor value) {
        values.put(layer + "." + parameter, value);
    }

    /// The names of the layers as a setting.
    Map<MethodSetting, String> layerSetting() {
        return new EnumMap<>(Map.of(MethodSetting.LAYERS, layerList()));
    }

    Map<MethodSetting, String> settings(MethodSetting setting, String value) {
        Map<MethodSetting, String> settings = layerSetting();
        settings.put(setting, value);
        return settings;
    }

    private String layerList() {
        Predicate<Layer> changed = layer -> layers.containsKey(layer.name());
        return LayerSelector.of(network.stream().filter(changed).toList(), network).toString();
    }

    /// The value that all layers have.
    static String only(Map<String, String> values, String what) {
        List<String> found = values.values().stream().distinct().sorted().toList();
        if (found.size() == 1) return found.getFirst();
        throw new IllegalArgumentException(DOES_NOT_FIT + "its layers have other " + what + ": "
                + String.join(" and ", found.stream().limit(2).toList()) + "; expected the same in all layers");
    }

    /// Names the layer in a message.
    static <T> T named(String layer, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(DOES_NOT_FIT + layer + ": " + e.getMessage(), e);
        }
    }
}
