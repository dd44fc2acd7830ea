package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.method.LayerRanks;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.Oft;
import atomstudio.tuning.method.ParameterLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// An adapter of another program as parameters of the method that trains its kind, so that its training can go on here:
/// LoRA and LoCon, DoRA of outputs, LoHa, LoKr with full w1, GLoRA, OFT of outputs, and weight diffs. Rank, alpha and
/// layers follow from its tensors.
public final class TrainableAdapter {
    private static final Trigger UNKNOWN_TRIGGER = new Trigger("sks", "thing");
    private static final String DOES_NOT_FIT = "cannot be converted to a method of this program: ";

    private final ExternalAdapter.LayerMatch match;
    private final Map<String, Layer> layers = new TreeMap<>();
    private final Map<String, Tensor> values = new HashMap<>();
    private final List<Layer> network;

    private TrainableAdapter(ExternalAdapter.LayerMatch match, List<Layer> network) {
        this.match = match;
        this.network = network;
        for (Layer layer : network) if (match.deltas().containsKey(layer.name())) layers.put(layer.name(), layer);
    }

    /// The only adapter in a file, in this program's format. Adapters of other programs have no base model's hash.
    /// @throws Failure.Incompatible if it is of a kind that is not trained here, or does not fit the model
    public static AdapterFile read(Path file, DiffusionModel model) throws Failure {
        List<AdapterSource.NamedAdapter> found = AdapterSource.read(file);
        if (found.size() != 1)
            throw new Failure.Incompatible(file + ": expected one adapter, found " + found.size() + " ("
                    + found.stream().map(AdapterSource.NamedAdapter::name).collect(Collectors.joining(", "))
                    + "); split the file");
        return switch (found.getFirst().source()) {
            case AdapterFile adapter -> {
                adapter.requireFits(model);
                yield adapter;
            }
            case ExternalAdapter adapter -> {
                try {
                    yield of(adapter, model);
                } catch (Failure.Incompatible | IllegalArgumentException e) {
                    throw new Failure.Incompatible(file + ": " + e.getMessage());
                }
            }
            case EmbeddingFile embedding -> throw new Failure.Incompatible(file + ": is a textual inversion, which "
                    + DOES_NOT_FIT + "it does not contain the class word; train a new one");
        };
    }

    /// @throws IllegalArgumentException if its kind is not trained here
    static AdapterFile of(ExternalAdapter adapter, DiffusionModel model) throws Failure {
        ExternalAdapter.LayerMatch match = ExternalAdapter.LayerMatch.of(adapter, model);
        if (!match.unmatched().isEmpty() || !adapter.otherTensors().isEmpty())
            throw new IllegalArgumentException(DOES_NOT_FIT + "it has tensors that belong to no layer of "
                    + model.name() + ", which would be lost: " + ExternalAdapter.firstFew(
                            List.copyOf((match.unmatched().isEmpty() ? adapter.otherTensors() : match.unmatched())
                                    .keySet()),
                            ", "));
        TrainableAdapter trainable = new TrainableAdapter(match, model.trainableLayers());
        MethodSettings settings = trainable.settings(adapter.kind());
        AdapterFile file = new AdapterFile(settings, new BaseModel(model.name(), ""), UNKNOWN_TRIGGER,
                new AdapterFile.TrainingSummary(0, settings.choice().learningRate(), 0),
                AdaptedLayer.of(settings.method(), trainable.network), trainable.values);
        trainable.requireLayout(settings);
        file.requireFits(model);
        return file;
    }

    private MethodSettings settings(String kind) {
        if (layersHave(AdapterKind.DOWN)) return lowRank();
        if (layersHaveMagnitudes()) return decomposed();
        if (layersHave("hada_w1_a")) return hadamard();
        if (layersHave("lokr_w1")) return kronecker();
        if (layersHave("a1.weight")) return generalized();
        if (layersHave(AdapterKind.LYCORIS_BLOCKS)) return rotation();
        if (layers.keySet().stream().allMatch(name -> has(name, "diff") || has(name, AdapterKind.DIFF_BIAS)))
            return diffs();
        throw new IllegalArgumentException(DOES_NOT_FIT + "it is " + kind
                + "; expected LoRA, LoCon, DoRA, LoHa, LoKr with a full first factor, GLoRA, OFT of outputs, or weight "
                + "diffs, the same on every layer");
    }

    private boolean has(String layer, String parameter) {
        return match.tensors().get(layer).containsKey(parameter);
    }

    private boolean layersHave(String parameter) {
        return layers.keySet()
                .stream()
                .allMatch(name -> has(name, parameter)
                        && Stream.of(AdapterKind.DIFF_BIAS, AdapterKind.MAGNITUDE, AdapterKind.PEFT_MAGNITUDE)
                                .noneMatch(other -> has(name, other)));
    }

    private boolean layersHaveMagnitudes() {
        return layers.keySet()
                .stream()
                .allMatch(name -> has(name, AdapterKind.DOWN) && !has(name, AdapterKind.DIFF_BIAS)
                        && (has(name, AdapterKind.MAGNITUDE) || has(name, AdapterKind.PEFT_MAGNITUDE)));
    }

    /// DoRA of LoRA; the norms are those of outputs.
    private MethodSettings decomposed() {
        double scale = commonScale(AdapterKind.DOWN);
        Map<String, Integer> ranks = putProducts(scale);
        layers.forEach((name, layer) -> {
            Tensor magnitude = match.deltas().get(name).values().get("magnitude");
            Tensor stored = match.tensors().get(name).get(AdapterKind.MAGNITUDE);
            boolean isOfInputs = stored != null && stored.shape().rank() > 1
                    && stored.shape().elements() != stored.shape().size(0);
            if (isOfInputs)
                throw new IllegalArgumentException(
                        DOES_NOT_FIT + name + " has a norm for every input, method dora one for every output");
            values.put(name + ".g", magnitude.reshape(Shape.of(layer.weightShape().size(0))));
        });
        return ranked(MethodName.DORA, ranks, scale);
    }

    /// The scale becomes part of the factors.
    private MethodSettings generalized() {
        Map<String, Integer> ranks = new TreeMap<>();
        layers.keySet().forEach(name -> {
            match.deltas().get(name).values().forEach((factor, value) -> values.put(name + "." + factor, value));
            ranks.put(name, Math.toIntExact(values.get(name + ".a2").shape().size(0)));
        });
        return ranked(MethodName.GLORA, ranks, 1);
    }

    /// OFT of LyCORIS. Its matrices are transposed, and its Q is X − Xᵀ.
    private MethodSettings rotation() {
        Set<Long> sizes = new TreeSet<>(), counts = new TreeSet<>();
        layers.forEach((name, layer) -> {
            Map<String, Tensor> tensors = match.tensors().get(name);
            Tensor blocks = tensors.get(AdapterKind.LYCORIS_BLOCKS);
            Tensor limit = tensors.get(AdapterKind.ALPHA);
            if (blocks.shape().rank() != 3 || tensors.containsKey("rescale")
                    || limit != null && limit.data()[0] > 0)
                throw new IllegalArgumentException(DOES_NOT_FIT + name
                        + ": expected OFT in one stage without limit and rescaling, found another form");
            values.put(name + ".Q", upperTriangles(blocks));
            counts.add(blocks.shape().size(0));
            sizes.add(blocks.shape().size(1));
        });
        if (sizes.size() > 1 && counts.size() > 1)
            throw new IllegalArgumentException(DOES_NOT_FIT + "its layers have " + sizes + " channels in " + counts
                    + " blocks; expected the same size or the same number in all layers");
        String size = sizes.size() == 1 ? sizes.iterator().next().toString() : "1/" + counts.iterator().next();
        return new MethodSettings(MethodName.OFT, Map.of(MethodSetting.LAYERS, layerList(), MethodSetting.BLOCK_SIZE,
                size, MethodSetting.SIDE, Oft.Side.OUTPUT.option()));
    }

    /// (n, b, b) -> (n, b(b−1)/2): Xᵀ − X above the diagonals, by rows.
    private static Tensor upperTriangles(Tensor blocks) {
        int count = Math.toIntExact(blocks.shape().size(0)), side = Math.toIntExact(blocks.shape().size(1));
        Tensor upper = Tensor.zeros(Shape.of(count, side * (side - 1L) / 2));
        int next = 0;
        for (int n = 0; n < count; n++)
            for (int i = 0; i < side; i++)
                for (int j = i + 1; j < side; j++)
                    upper.data()[next++] = blocks.data()[(n * side + j) * side + i]
                            - blocks.data()[(n * side + i) * side + j];
        return upper;
    }

    private MethodSettings lowRank() {
        double scale = commonScale(AdapterKind.DOWN);
        Map<String, Integer> ranks = putProducts(scale);
        boolean hasKernels = layers.values().stream().anyMatch(layer -> layer.kernelSize() > 1);
        return ranked(hasKernels ? MethodName.LOCON : MethodName.LORA, ranks, scale);
    }

    /// The factors A and B of every layer.
    /// @return their ranks
    private Map<String, Integer> putProducts(double scale) {
        Map<String, Integer> ranks = new TreeMap<>();
        layers.forEach((name, layer) -> {
            Map<String, Tensor> delta = match.deltas().get(name).values();
            Tensor down = delta.get("down"), up = delta.get("up");
            int rank = Math.toIntExact(down.shape().size(0));
            long outputs = layer.weightShape().size(0);
            if (up.shape().size(0) != outputs)
                throw new IllegalArgumentException(DOES_NOT_FIT + name + " is a product of " + up.shape() + " and "
                        + down.shape() + ", which is reshaped to the weight " + layer.weightShape());
            ranks.put(name, rank);
            values.put(name + ".A", down.reshape(layer.weightShape().with(0, rank)));
            values.put(name + ".B", up.scaled(1 / scale)
                    .reshape(layer.weightShape().rank() == 4 ? Shape.of(outputs, rank, 1, 1)
                            : Shape.of(outputs, rank)));
        });
        return ranks;
    }

    private MethodSettings hadamard() {
        double scale = commonScale("hada_w1_b");
        Map<String, Integer> ranks = new TreeMap<>();
        layers.keySet().forEach(name -> {
            match.deltas()
                    .get(name)
                    .values()
                    .forEach((parameter, value) -> values.put(name + "." + parameter,
                            parameter.equals("w2a") ? value.scaled(1 / scale) : value));
            ranks.put(name, Math.toIntExact(values.get(name + ".w1b").shape().size(0)));
        });
        return ranked(MethodName.LOHA, ranks, scale);
    }

    private MethodSettings kronecker() {
        double scale = commonScale("lokr_w2_b");
        Map<String, Integer> ranks = new TreeMap<>();
        layers.keySet().forEach(name -> {
            Map<String, Tensor> tensors = match.tensors().get(name);
            Tensor a = tensors.get("lokr_w2_a"), b = tensors.get("lokr_w2_b");
            if (a == null || b == null || tensors.containsKey("lokr_t2"))
                throw new IllegalArgumentException(DOES_NOT_FIT + name
                        + ": expected a LoKr with lokr_w2_a and lokr_w2_b, found another form of the second factor");
            int rank = Math.toIntExact(b.shape().size(0));
            ranks.put(name, rank);
            values.put(name + ".w1", tensors.get("lokr_w1"));
            values.put(name + ".w2a", a.reshape(Shape.of(a.shape().elements() / rank, rank)));
            values.put(name + ".w2b", b.reshape(Shape.of(rank, b.shape().elements() / rank)));
        });
        return ranked(MethodName.LOKR, ranks, scale);
    }

    /// Missing diffs of a bias or a weight are zero.
    private MethodSettings diffs() {
        boolean biasesOnly = layers.keySet().stream().noneMatch(name -> has(name, "diff"));
        layers.forEach((name, layer) -> {
            Map<String, Tensor> delta = match.deltas().get(name).values();
            if (!biasesOnly)
                values.put(name + ".weight", delta.getOrDefault("weight", Tensor.zeros(layer.weightShape())));
            if (layer.hasBias())
                values.put(name + ".bias", delta.getOrDefault("bias", Tensor.zeros(layer.biasShape())));
            else
                if (delta.containsKey("bias"))
                    throw new IllegalArgumentException(DOES_NOT_FIT + name + " has no bias in the model");
        });
        boolean normsOnly = layers.values().stream().allMatch(layer -> layer.kind() == Layer.Kind.NORM);
        return new MethodSettings(biasesOnly ? MethodName.BITFIT : normsOnly ? MethodName.NORM : MethodName.FULL,
                Map.of(MethodSetting.LAYERS, layerList()));
    }

    /// α/r, if all layers have the same; else 1, and the scale is part of the parameters.
    private double commonScale(String rankedTensor) {
        Set<Double> scales = match.tensors().values().stream().map(tensors -> {
            Tensor alpha = tensors.get(AdapterKind.ALPHA);
            return alpha == null ? 1.0 : alpha.data()[0] / tensors.get(rankedTensor).shape().size(0);
        }).collect(Collectors.toSet());
        double scale = scales.size() == 1 ? scales.iterator().next() : 1;
        return scale > 0 ? scale : 1;
    }

    private MethodSettings ranked(MethodName method, Map<String, Integer> ranks, double scale) {
        return new LayerRanks(ranks).settings(method, scale, network);
    }

    private String layerList() {
        Predicate<Layer> changed = layer -> layers.containsKey(layer.name());
        return LayerSelector.of(network.stream().filter(changed).toList(), network).toString();
    }

    /// The parameters must be those of the method.
    private void requireLayout(MethodSettings settings) {
        ParameterLayout layout = ParameterLayout.of(settings.method(), network);
        Map<String, Shape> expected = new TreeMap<>();
        layout.trained().forEach(entry -> expected.put(entry.key(), entry.spec().shape()));
        Map<String, Shape> found = new TreeMap<>();
        values.forEach((key, value) -> found.put(key, value.shape()));
        Optional<String> difference = expected.keySet()
                .stream()
                .filter(key -> !expected.get(key).equals(found.get(key)))
                .findFirst()
                .or(() -> found.keySet().stream().filter(key -> !expected.containsKey(key)).findFirst());
        if (difference.isPresent() || !layout.frozen().isEmpty())
            throw new IllegalArgumentException(DOES_NOT_FIT + difference.orElse("") + " is "
                    + found.get(difference.orElse("")) + " in the file, method " + settings.name() + " trains "
                    + expected.get(difference.orElse("")));
    }
}
