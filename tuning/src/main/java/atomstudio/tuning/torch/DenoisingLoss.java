package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The denoising loss of a UNet and its gradient with respect to a method's parameters, which may adapt the UNet, the
/// text encoder, or both. Base weights are frozen; effective weights are computed from them and the parameters within
/// the recorded graph. No native array of a call outlives it.
public final class DenoisingLoss implements AutoCloseable {
    /// @param vector in the layout's order
    public record Gradient(double loss, float[] vector) {}

    private final TorchEngine engine;
    private final ParameterLayout layout;
    private final Checkpointing checkpointing;
    private final ComputeDtype computeDtype;
    private final NDArray adapterWeight;
    private final Map<String, NDArray> frozenValues = new HashMap<>();

    DenoisingLoss(TorchEngine engine, DenoisingLossOptions options) {
        this.engine = engine;
        this.layout = options.layout();
        this.checkpointing = options.checkpointing();
        this.computeDtype = options.computeDtype();
        this.adapterWeight = persistent(Tensor.filled(Shape.of(1), 1));
        options.frozenValues().forEach((key, value) -> frozenValues.put(key, persistent(value)));
    }

    private NDArray persistent(Tensor tensor) {
        NDArray array = engine.torch().array(tensor);
        NDScope.unregister(array);
        return array;
    }

    /// Mean of weight · squared error, and its gradient at these parameters.
    public Gradient gradient(float[] parameters, TrainingBatch batch) throws Failure {
        return runInScope(GradMode.ON, () -> {
            Torch torch = engine.torch();
            List<NDArray> leaves = parameterArrays(parameters, torch::leaf);
            try (Tape tape = torch.tape(checkpointing)) {
                EagerOps ops = torch.ops(computeDtype);
                NDArray loss = computeLoss(leaves, batch, tape,
                        checkpointing == Checkpointing.NONE ? ops : ops.withTape(tape));
                return new Gradient(torch.tensor(loss).data()[0], torch.gradient(loss, leaves, tape));
            }
        });
    }

    /// Only the loss.
    public double loss(float[] parameters, TrainingBatch batch) throws Failure {
        return runInScope(GradMode.OFF, () -> {
            Torch torch = engine.torch();
            return (double) torch
                    .tensor(computeLoss(parameterArrays(parameters, torch::array), batch,
                            torch.tape(Checkpointing.NONE), torch.ops(computeDtype)))
                    .data()[0];
        });
    }

    /// One array per parameter, in the layout's order.
    private List<NDArray> parameterArrays(float[] parameters, Function<Tensor, NDArray> array) {
        List<NDArray> arrays = new ArrayList<>();
        int offset = 0;
        for (Shape shape : layout.shapes()) {
            int end = offset + Math.toIntExact(shape.elements());
            arrays.add(array.apply(new Tensor(shape, Arrays.copyOfRange(parameters, offset, end))));
            offset = end;
        }
        return arrays;
    }

    /// The UNet encoder's features of a batch under the frozen weights. With them `gradient` and `loss` run only the
    /// decoder, so no layer of the encoder may be trained.
    public UNet.EncoderFeatures<Tensor> encoderFeatures(TrainingBatch batch) throws Failure {
        return runInScope(GradMode.OFF, () -> {
            Torch torch = engine.torch();
            EagerOps ops = torch.ops(computeDtype);
            if (!(batch.conditioning() instanceof BatchConditioning.Embedded(Tensor context)))
                throw new IllegalArgumentException("encoder features with a trained text encoder");
            UNet.EncoderFeatures<NDArray> features = engine.model()
                    .unet()
                    .encode(ops, engine.layers(TorchEngine.Network.UNET),
                            ops.toActivationDtype(torch.array(batch.noisyLatents())),
                            ops.toActivationDtype(timestepFeatures(batch)),
                            ops.toActivationDtype(torch.array(context)));
            return features.map(each -> torch.tensor(ops.toFloat32(each)));
        });
    }

    private NDArray timestepFeatures(TrainingBatch batch) {
        return engine.torch().array(engine.model().unet().timeProjection().embed(batch.timesteps()));
    }

    private NDArray computeLoss(List<NDArray> trainable, TrainingBatch batch, Tape tape, EagerOps ops) {
        Torch torch = engine.torch();
        Map<String, NDArray> values = new HashMap<>(frozenValues);
        for (ParameterLayout.LayerParameter entry : layout.derived())
            values.computeIfAbsent(entry.key(), engine::derived);
        for (int i = 0; i < trainable.size(); i++) values.put(layout.trained().get(i).key(), trainable.get(i));
        List<AdaptedWeights.BoundAdapter<NDArray>> bound = List.of(new AdaptedWeights.BoundAdapter<>(layout.method(),
                layer -> parameterArrays(values, layer, tape), adapterWeight));
        NDArray context = switch (batch.conditioning()) {
            case BatchConditioning.Embedded embedded -> torch.array(embedded.context());
            case BatchConditioning.TokenIds tokenIds -> context(tokenIds, bound);
        };
        AdaptedWeights<NDArray> layers = new AdaptedWeights<>(ops, engine.layers(TorchEngine.Network.UNET), bound);
        NDArray features = ops.toActivationDtype(timestepFeatures(batch));
        NDArray output = batch.encoderFeatures().isPresent()
                ? engine.model()
                        .unet()
                        .decode(ops, layers,
                                batch.encoderFeatures().get().map(each -> ops.toActivationDtype(torch.array(each))),
                                features, ops.toActivationDtype(context))
                : engine.model()
                        .unet()
                        .forward(ops, layers, ops.toActivationDtype(torch.array(batch.noisyLatents())), features,
                                ops.toActivationDtype(context));
        return ops.loss(ops.toFloat32(output), torch.array(batch.target()), torch.array(batch.lossWeights()));
    }

    /// (B, chunks·S, C).
    private NDArray context(BatchConditioning.TokenIds tokenIds, List<AdaptedWeights.BoundAdapter<NDArray>> bound) {
        Torch torch = engine.torch();
        ClipTextModel text = engine.model().textEncoder();
        NDArray states = text.encode(torch.ops(),
                new AdaptedWeights<>(torch.ops(), engine.layers(TorchEngine.Network.TEXT), bound),
                torch.array(tokenIds.ids()), 0);
        int length = tokenIds.ids()[0].length;
        return tokenIds.chunks() == 1 ? states
                : torch.ops()
                        .reshape(states, Shape.of(tokenIds.ids().length / tokenIds.chunks(),
                                (long) tokenIds.chunks() * length, text.hiddenSize()));
    }

    private static Adaptation.AdapterParameters<NDArray> parameterArrays(Map<String, NDArray> all, Layer layer,
            Tape tape) {
        return slot -> {
            tape.markTrainableUse();
            return all.get(layer.name() + "." + slot);
        };
    }

    private <T> T runInScope(GradMode gradMode, Supplier<T> work) throws Failure {
        engine.checkFiles();
        return TorchFailures.translate("training step", () -> {
            try (TorchScope scope = engine.torch().scope(gradMode)) {
                return work.get();
            }
        });
    }

    @Override
    public void close() {
        adapterWeight.close();
        frozenValues.values().forEach(NDArray::close);
    }
}
