package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DifferentiationInput.Activations;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The denoising loss of a UNet and its gradient by a method's trained numbers, which may belong to the UNet, to the text encoder, or to
/// both. Base weights are frozen and get no gradient; effective weights are computed from them and the slots within what is recorded.
/// Each call is one scope: nothing native outlives it.
public final class Differentiation implements AutoCloseable {
    /// The loss, and its gradient as a vector in the layout's order.
    public record Gradient(double loss, float[] vector) {}

    private final TorchEngine engine;
    private final ParameterLayout layout;
    private final Activations activations;
    private final Precision precision;
    private final NDArray strength;
    private final Map<String, NDArray> constants = new HashMap<>();

    Differentiation(TorchEngine engine, DifferentiationInput input) {
        this.engine = engine;
        this.layout = input.layout();
        this.activations = input.activations();
        this.precision = input.precision();
        this.strength = outliving(Tensor.filled(Shape.of(1), 1));
        input.constants().forEach((key, value) -> constants.put(key, outliving(value)));
    }

    private NDArray outliving(Tensor tensor) {
        NDArray array = engine.torch().array(tensor);
        NDScope.unregister(array);
        return array;
    }

    /// Mean of weight · squared error, and its gradient at these trained numbers.
    public Gradient gradient(float[] trained, Batch batch) throws Failure {
        return guard(Recording.ON, () -> {
            Torch torch = engine.torch();
            List<NDArray> leaves = slots(trained, torch::leaf);
            try (Tape tape = torch.tape(activations)) {
                EagerOps ops = torch.ops(precision);
                NDArray loss = record(leaves, batch, tape, activations == Activations.KEPT ? ops : ops.on(tape));
                return new Gradient(torch.tensor(loss).data()[0], torch.gradient(loss, leaves, tape));
            }
        });
    }

    /// The loss alone.
    public double loss(float[] trained, Batch batch) throws Failure {
        return guard(Recording.OFF, () -> {
            Torch torch = engine.torch();
            return (double) torch.tensor(record(slots(trained, torch::array), batch, torch.tape(Activations.KEPT), torch.ops(precision))).data()[0];
        });
    }

    /// An array for every trained slot, in the layout's order.
    private List<NDArray> slots(float[] trained, Function<Tensor, NDArray> array) {
        List<NDArray> slots = new ArrayList<>();
        int at = 0;
        for (Shape shape : layout.shapes()) {
            int next = at + Math.toIntExact(shape.elements());
            slots.add(array.apply(new Tensor(shape, java.util.Arrays.copyOfRange(trained, at, next))));
            at = next;
        }
        return slots;
    }

    /// What the network's lower part says of a batch, under the frozen weights. The way to know it before `gradient` and `loss`, which then
    /// begin above it: nothing that is trained may lie there.
    public UNet.EncoderFeatures<Tensor> lower(Batch batch) throws Failure {
        return guard(Recording.OFF, () -> {
            Torch torch = engine.torch();
            EagerOps ops = torch.ops(precision);
            if (!(batch.conditioning() instanceof Conditioning.Embedded(Tensor context))) throw new IllegalArgumentException("the lower part under a text encoder that is trained");
            UNet.EncoderFeatures<NDArray> lower = engine.model().unet().encode(ops, engine.layers(TorchEngine.Network.UNET), ops.enter(torch.array(batch.noisy())), ops.enter(features(batch)), ops.enter(torch.array(context)));
            return lower.map(each -> torch.tensor(ops.leave(each)));
        });
    }

    private NDArray features(Batch batch) {
        return engine.torch().array(engine.model().unet().timeProjection().embed(batch.timesteps()));
    }

    private NDArray record(List<NDArray> trained, Batch batch, Tape tape, EagerOps ops) {
        Torch torch = engine.torch();
        Map<String, NDArray> slots = new HashMap<>(constants);
        for (ParameterLayout.LayerParameter entry : layout.derived()) slots.computeIfAbsent(entry.key(), engine::derived);
        for (int i = 0; i < trained.size(); i++) slots.put(layout.trained().get(i).key(), trained.get(i));
        List<AdaptedWeights.BoundAdapter<NDArray>> bound = List.of(new AdaptedWeights.BoundAdapter<>(layout.method(), layer -> slots(slots, layer, tape), strength));
        NDArray context = switch (batch.conditioning()) {
            case Conditioning.Embedded embedded -> torch.array(embedded.context());
            case Conditioning.Words words -> context(words, bound);
        };
        AdaptedWeights<NDArray> layers = new AdaptedWeights<>(ops, engine.layers(TorchEngine.Network.UNET), bound);
        NDArray features = ops.enter(features(batch));
        NDArray output = batch.lower().isPresent() ? engine.model().unet().decode(ops, layers, batch.lower().get().map(each -> ops.enter(torch.array(each))), features, ops.enter(context))
                : engine.model().unet().forward(ops, layers, ops.enter(torch.array(batch.noisy())), features, ops.enter(context));
        return ops.loss(ops.leave(output), torch.array(batch.target()), torch.array(batch.weights()));
    }

    /// (B,chunks·S,C).
    private NDArray context(Conditioning.Words words, List<AdaptedWeights.BoundAdapter<NDArray>> bound) {
        Torch torch = engine.torch();
        ClipTextModel text = engine.model().textEncoder();
        NDArray states = text.encode(torch.ops(), new AdaptedWeights<>(torch.ops(), engine.layers(TorchEngine.Network.TEXT), bound), torch.array(words.ids()), 0);
        int length = words.ids()[0].length;
        return words.chunks() == 1 ? states : torch.ops().reshape(states, Shape.of(words.ids().length / words.chunks(), (long) words.chunks() * length, text.hiddenSize()));
    }

    private static AdapterParameters<NDArray> slots(Map<String, NDArray> all, Layer layer, Tape tape) {
        return slot -> {
            tape.usesTrained();
            return all.get(layer.name() + "." + slot);
        };
    }

    private <T> T guard(Recording recording, Supplier<T> work) throws Failure {
        engine.checkFiles();
        return NativeFailures.guard("training step", () -> {
            try (TorchScope scope = engine.torch().scope(recording)) {
                return work.get();
            }
        });
    }

    @Override public void close() {
        strength.close();
        constants.values().forEach(NDArray::close);
    }
}
