package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.Muon;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A classifier on PyTorch: logits, and the cross entropy for training. One thread at a time; owns its native arrays
/// and the mapped weights.
public final class TorchClassifier implements AutoCloseable {
    /// Normalized images with their classes.
    /// @param pixels (B, C, H, W)
    /// @param target probabilities (B, classes)
    public record LabeledBatch(Tensor pixels, Tensor target) {}

    private record CrossEntropyObjective(Classifier network) implements Objective<LabeledBatch> {
        @Override
        public <T> T loss(Step<T> step, LabeledBatch batch) {
            LossOps<T> ops = step.ops();
            T logits = network.logits(ops, step.layers(Component.CLASSIFIER, ops), ops.input(batch.pixels()));
            return ops.crossEntropy(logits, batch.target());
        }
    }

    private final Classifier network;
    private final Torch torch;
    private final Checkpoint checkpoint;
    private final TorchWeights weights;
    private final @Nullable LayerWeights<NDArray> newHead;
    private @Nullable DerivedParameters derived;

    private TorchClassifier(Classifier network, Torch torch, Checkpoint checkpoint, boolean hasNewHead) {
        this.network = network;
        this.torch = torch;
        this.checkpoint = checkpoint;
        this.weights = new TorchWeights(torch, checkpoint);
        this.newHead = hasNewHead ? zeros(head()) : null;
    }

    /// @param newClasses of a head that replaces the stored one; its weights are zero until trained
    /// @throws Failure.Incompatible that lists all missing tensors and those of another shape
    /// @throws Failure.DeviceUnavailable when the device is missing or PyTorch cannot be loaded
    public static TorchClassifier open(ClassifierModel model, OptionalInt newClasses, Device device,
            TorchSettings settings) throws Failure {
        Classifier network = newClasses.isPresent() ? model.network().withClasses(newClasses.getAsInt())
                : model.network();
        Torch torch = Torch.open(device, settings);
        try {
            return new TorchClassifier(network, torch,
                    newClasses.isPresent() ? model.openBackbone() : model.file().open(), newClasses.isPresent());
        } catch (Failure e) {
            torch.close();
            throw e;
        }
    }

    /// The network, with the new head.
    public Classifier network() {
        return network;
    }

    private Layer head() {
        return network.layers()
                .stream()
                .filter(layer -> layer.path().equals(network.head()))
                .findFirst()
                .orElseThrow();
    }

    private LayerWeights<NDArray> zeros(Layer layer) {
        NDArray weight = torch.array(Tensor.zeros(layer.weightShape())),
                bias = torch.array(Tensor.zeros(layer.biasShape()));
        NDScope.unregister(weight, bias);
        return new LayerWeights<>(weight, bias);
    }

    private LayerWeights<NDArray> layer(Layer layer) {
        return newHead != null && layer.path().equals(network.head()) ? newHead : weights.get(layer);
    }

    /// The base weight of a layer.
    public Tensor baseWeight(Layer layer) {
        return newHead != null && layer.path().equals(network.head()) ? Tensor.zeros(layer.weightShape())
                : checkpoint.read(layer.weightKey());
    }

    /// Normalized pixels (B, C, H, W) -> logits (B, classes) of the base model.
    public Tensor logits(Tensor pixels) throws Failure {
        return logits(pixels, List::of);
    }

    /// With a method's parameters, which are stored or derived.
    /// @param values by `LAYER.PARAMETER`
    public Tensor logits(Tensor pixels, ParameterLayout layout, Map<String, Tensor> values) throws Failure {
        return logits(pixels, () -> {
            Map<String, NDArray> arrays = new HashMap<>();
            values.forEach((key, value) -> arrays.put(key, torch.array(value)));
            return List.of(new AdaptedWeights.BoundAdapter<>(layout.method(), layer -> parameter -> {
                NDArray array = arrays.get(layer.name() + "." + parameter);
                return array == null ? derived(layer.name() + "." + parameter) : array;
            }, torch.array(Tensor.filled(Shape.of(1), 1))));
        });
    }

    private Tensor logits(Tensor pixels, Supplier<List<AdaptedWeights.BoundAdapter<NDArray>>> adapters)
            throws Failure {
        checkpoint.checkUnchanged();
        return TorchFailures.translate("classifier", () -> {
            try (TorchScope scope = torch.scope(GradMode.OFF)) {
                EagerOps ops = torch.ops();
                return torch.tensor(network.logits(ops, new AdaptedWeights<>(ops, this::layer, adapters.get()),
                        torch.array(pixels)));
            }
        });
    }

    /// The cross entropy of labeled images with respect to a method's parameters.
    public TrainingLoss<LabeledBatch> crossEntropy(DenoisingLossOptions options) {
        return new TrainingLoss<>(
                new TrainedNetworks(torch, component -> this::layer, this::derived, checkpoint::checkUnchanged),
                new CrossEntropyObjective(network), options);
    }

    /// Computes a layout's derived values from its frozen values and the base weights, and keeps them.
    /// @throws IllegalArgumentException when the result differs from that of the frozen values' origin
    public void derive(ParameterLayout layout, Map<String, Tensor> frozenValues) {
        if (derived != null) derived.close();
        derived = layout.derived().isEmpty() ? null
                : DerivedParameters.of(layout, frozenValues, this::baseWeight, torch);
    }

    private NDArray derived(String key) {
        DerivedParameters values = derived;
        if (values == null) throw new IllegalStateException(key + ": neither given nor derived");
        return values.get(key).orElseThrow(() -> new IllegalStateException(key + ": neither given nor derived"));
    }

    /// Threads that one operation may use.
    public int threads() {
        return torch.threads();
    }

    /// For Muon.
    public Muon.Orthogonalization orthogonalization() {
        return new Torch.NewtonSchulz(torch, ComputeDtype.FP32);
    }

    @Override
    public void close() {
        if (derived != null) derived.close();
        if (newHead != null) {
            newHead.weight().close();
            if (newHead.bias() != null) newHead.bias().close();
        }
        weights.close();
        torch.close();
        checkpoint.close();
    }
}
