package atomstudio.tuning.adapter;

import static atomstudio.tuning.adapter.TrainableAdapter.DOES_NOT_FIT;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.interop.LayerDelta;
import atomstudio.tuning.method.GloraTerms;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.RescaledRotation;
import atomstudio.tuning.setting.Setting;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Layers of an adapter of another program as parameters of the method that trains their kind. Rank, alpha and layers
/// follow from the tensors.
final class TrainedLayers {
    private static final Set<String> DIFFERENCES = Set.of("weight", "bias");

    private final ExternalAdapter.LayerMatch match;
    private final List<Layer> network;
    private final Map<String, Layer> layers = new TreeMap<>();
    private final Map<String, Tensor> values = new HashMap<>();
    private final Map<String, Integer> ranks = new TreeMap<>();
    private double scale = 1;

    /// @param network all layers of the model
    TrainedLayers(ExternalAdapter.LayerMatch match, List<Layer> network, Predicate<Layer> chosen) {
        this.match = match;
        this.network = network;
        for (Layer layer : network)
            if (match.deltas().containsKey(layer.name()) && chosen.test(layer)) layers.put(layer.name(), layer);
    }

    boolean isEmpty() { return layers.isEmpty(); }

    /// Whether a method trains what all layers have.
    boolean isOfOneKind() { return conversion().isPresent(); }

    /// The method with its settings; fills [#values], of a low-rank method also [#ranks] and [#scale].
    /// @throws IllegalArgumentException if the method does not have a layer's form
    MethodSettings settings() {
        return conversion().orElseThrow().get();
    }

    /// The parameters by `LAYER.PARAMETER`.
    Map<String, Tensor> values() {
        return values;
    }

    /// Of low-rank methods, by layer.
    Map<String, Integer> ranks() {
        return ranks;
    }

    /// α/r.
    double scale() {
        return scale;
    }

    /// The layers by name.
    Map<String, Layer> layers() {
        return layers;
    }

    /// The scale of a low-rank method.
    void setScale(double newScale) { scale = newScale; }

    /// Ranks and scale as settings of a low-rank method.
    MethodSettings ranked(MethodName method) {
        return new LayerRanks(ranks).settings(method, scale, network);
    }

    /// The same LoRA with another α/r.
    void rescale(double newScale) {
        values.replaceAll((key, value) -> key.endsWith(".B") ? value.scaled(scale / newScale) : value);
        scale = newScale;
    }

    private Optional<Supplier<MethodSettings>> conversion() {
        if (all(this::isDifference)) return Optional.of(this::diffs);
        if (any(name -> has(name, AdapterKind.DIFF_BIAS))) return Optional.empty();
        LowRankLayers lowRank = new LowRankLayers(this);
        if (all(name -> has(name, AdapterKind.DOWN) && isDecomposed(name))) return Optional.of(lowRank::decomposed);
        if (any(this::isDecomposed)) return Optional.empty();
        if (all(name -> has(name, AdapterKind.DOWN))) return Optional.of(lowRank::products);
        if (all(name -> has(name, "hada_w1_a"))) return Optional.of(lowRank::hadamard);
        if (all(name -> has(name, "lokr_w1") || has(name, "lokr_w1_a"))) return Optional.of(lowRank::kronecker);
        if (all(name -> has(name, "a1.weight"))) return Optional.of(lowRank::generalized);
        if (all(name -> delta(name).adaptation() instanceof GloraTerms)) return Optional.of(lowRank::gloraTerms);
        if (all(name -> has(name, AdapterKind.VERA_LAMBDA_D))) return Optional.of(lowRank::vera);
        if (all(name -> has(name, "ia3_l") || has(name, "on_input"))) return Optional.of(this::channelScales);
        if (all(name -> has(name, AdapterKind.PEFT_BOFT_BLOCKS))) return Optional.of(this::butterfly);
        return all(name -> has(name, AdapterKind.LYCORIS_BLOCKS) || has(name, AdapterKind.PEFT_OFT_BLOCKS))
                ? Optional.of(this::rotation)
                : Optional.empty();
    }

    private boolean all(Predicate<String> predicate) {
        return layers.keySet().stream().allMatch(predicate);
    }

    private boolean any(Predicate<String> predicate) {
        return layers.keySet().stream().anyMatch(predicate);
    }

    private boolean has(String layer, String parameter) {
        return tensors(layer).containsKey(parameter);
    }

    private boolean isDecomposed(String layer) {
        return has(layer, AdapterKind.MAGNITUDE) || has(layer, AdapterKind.PEFT_MAGNITUDE);
    }

    private boolean isDifference(String layer) {
        return DIFFERENCES.containsAll(delta(layer).values().keySet());
    }

    Map<String, Tensor> tensors(String layer) {
        return match.tensors().get(layer);
    }

    LayerDelta delta(String layer) {
        return match.deltas().get(layer);
    }

    void put(String layer, String parameter, Tensor value) {
        values.put(layer + "." + parameter, value);
    }

    private MethodSettings channelScales() {
        layers.forEach((name, layer) -> put(name, "l",
                named(name, () -> delta(name).channelScale(layer).orElseThrow())));
        return new MethodSettings(MethodName.IA3, settings(MethodSetting.LAYERS, layerList()));
    }

    private MethodSettings butterfly() {
        Map<String, LayerDelta.TrainedRotation> rotations = rotations();
        Map<MethodSetting, String> settings = rotationSettings(rotations);
        Map<String, String> factors = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            factors.put(name, Long.toString(rotation.q().shape().size(0)));
            put(name, "Q", rotation.q());
        });
        settings.put(MethodSetting.BUTTERFLY_FACTORS, only(factors, "butterfly factors"));
        return new MethodSettings(MethodName.BOFT, settings);
    }

    private MethodSettings rotation() {
        Map<String, LayerDelta.TrainedRotation> rotations = rotations();
        Map<String, String> sides = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            Shape q = rotation.q().shape();
            if (q.size(0) > 1)
                throw new IllegalArgumentException(DOES_NOT_FIT + name + " has butterfly factors of the outputs, "
                        + "method boft has them of the inputs");
            sides.put(name, rotation.side().option());
            put(name, "Q", rotation.q().reshape(Shape.of(q.size(1), q.size(2))));
        });
        Map<MethodSetting, String> settings = rotationSettings(rotations);
        settings.put(MethodSetting.SIDE, only(sides, "sides"));
        return new MethodSettings(MethodName.OFT, settings);
    }

    /// The matrices themselves are inverted, since programs compute them from their parameters in several ways.
    private Map<String, LayerDelta.TrainedRotation> rotations() {
        Map<String, LayerDelta.TrainedRotation> rotations = new TreeMap<>();
        layers.keySet()
                .forEach(name -> rotations.put(name, named(name, () -> delta(name).rotation().orElseThrow())));
        return rotations;
    }

    private Map<MethodSetting, String> rotationSettings(Map<String, LayerDelta.TrainedRotation> rotations) {
        Map<String, String> sizes = new TreeMap<>(), counts = new TreeMap<>();
        rotations.forEach((name, rotation) -> {
            sizes.put(name, Integer.toString(rotation.blockSize()));
            counts.put(name, "1/" + rotation.q().shape().size(1));
        });
        boolean hasOneSize = Set.copyOf(sizes.values()).size() == 1;
        Map<MethodSetting, String> settings = settings(MethodSetting.BLOCK_SIZE,
                hasOneSize ? sizes.values().iterator().next() : only(counts, "shares and sizes of blocks"));
        if (rotations.values().stream().anyMatch(rotation -> rotation.scale().isPresent())) {
            settings.put(MethodSetting.RESCALED, Setting.YES);
            layers.forEach((name, layer) -> put(name, RescaledRotation.SCALE,
                    rotations.get(name).scale().orElse(Tensor.filled(layer.biasShape(), 1))));
        }
        return settings;
    }

    /// Missing diffs of a bias or a weight are zero, as are the weights that files have beside biases for some
    /// programs.
    private MethodSettings diffs() {
        boolean biasesOnly = all(name -> !delta(name).values().containsKey("weight")
                || delta(name).values().get("weight").squaredNorm() == 0);
        layers.forEach((name, layer) -> {
            Map<String, Tensor> delta = delta(name).values();
            if (!biasesOnly) put(name, "weight", delta.getOrDefault("weight", Tensor.zeros(layer.weightShape())));
            if (layer.hasBias()) put(name, "bias", delta.getOrDefault("bias", Tensor.zeros(layer.biasShape())));
            else
                if (delta.containsKey("bias"))
                    throw new IllegalArgumentException(DOES_NOT_FIT + name + " has no bias in the model");
        });
        boolean normsOnly = layers.values().stream().allMatch(layer -> layer.kind() == Layer.Kind.NORM);
        return new MethodSettings(biasesOnly ? MethodName.BITFIT : normsOnly ? MethodName.NORM : MethodName.FULL,
                settings(MethodSetting.LAYERS, layerList()));
    }

    Map<MethodSetting, String> settings(MethodSetting setting, String value) {
        Map<MethodSetting, String> settings = new EnumMap<>(MethodSetting.class);
        settings.put(MethodSetting.LAYERS, layerList());
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
    private static <T> T named(String layer, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(DOES_NOT_FIT + layer + ": " + e.getMessage(), e);
        }
    }
}
