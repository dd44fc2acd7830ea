package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipTextModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The denoising loss of a UNet and its gradient with respect to a method's parameters, which may adapt the UNet, the
/// text encoder, or both. Base weights are frozen; effective weights are computed from them and the parameters on
/// the tape. No native array of a call outlives it.
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
        return runInScope(() -> {
            Torch torch = engine.torch();
            List<Variable<NDArray>> variables = variables(parameters, Variable::trainable);
            try (Step step = new Step(torch.gradientOps(ComputeDtype.FP32), torch.gradientOps(computeDtype))) {
                Variable<NDArray> output = predict(variables, batch, step);
                NDArray predicted = step.backend.toFloat32(output.array());
                NDArray target = torch.array(batch.target()), weights = torch.array(batch.lossWeights());
                NDArray gradient = torch.kernels().call("loss_gradient", predicted, target, weights);
                double loss = torch.tensor(step.backend.loss(predicted, target, weights)).data()[0];
                step.tape.backward(output, step.backend.toActivationDtype(gradient));
                return new Gradient(loss, torch.gradients(variables));
            }
        });
    }

    /// Only the loss.
    public double loss(float[] parameters, TrainingBatch batch) throws Failure {
        return runInScope(() -> {
            Torch torch = engine.torch();
            try (Step step = new Step(torch.gradientOps(ComputeDtype.FP32), torch.gradientOps(computeDtype))) {
                Variable<NDArray> output = predict(variables(parameters, Variable::frozen), batch, step);
                return (double) torch.tensor(step.backend.loss(step.backend.toFloat32(output.array()),
                        torch.array(batch.target()), torch.array(batch.lossWeights()))).data()[0];
            }
        });
    }

    /// The tape of one step, and the backends of the text encoder and the UNet.
    private record Step(Tape<NDArray> tape, EagerGradientOps textBackend, EagerGradientOps backend)
            implements AutoCloseable {
        Step(EagerGradientOps textBackend, EagerGradientOps backend) {
            this(new Tape<>(backend), textBackend, backend);
        }

        @Override
        public void close() {
            backend.close();
        }
    }

    /// One variable per parameter, in the layout's order.
    private List<Variable<NDArray>> variables(float[] parameters, Function<NDArray, Variable<NDArray>> variable) {
        List<Variable<NDArray>> variables = new ArrayList<>();
        int offset = 0;
        for (Shape shape : layout.shapes()) {
            int end = offset + Math.toIntExact(shape.elements());
            NDArray array = engine.torch().array(new Tensor(shape, Arrays.copyOfRange(parameters, offset, end)));
            variables.add(variable.apply(array));
            offset = end;
        }
        return variables;
    }

    /// The UNet encoder's features of a batch under the frozen weights. With them `gradient` and `loss` run only the
    /// decoder, so no layer of the encoder may be trained.
    public UNet.EncoderFeatures<Tensor> encoderFeatures(TrainingBatch batch) throws Failure {
        return runInScope(() -> {
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

    private Variable<NDArray> predict(List<Variable<NDArray>> trainable, TrainingBatch batch, Step step) {
        Torch torch = engine.torch();
        Map<String, Variable<NDArray>> values = new HashMap<>();
        frozenValues.forEach((key, array) -> values.put(key, Variable.frozen(array)));
        for (ParameterLayout.LayerParameter entry : layout.derived())
            values.computeIfAbsent(entry.key(), key -> Variable.frozen(engine.derived(key)));
        for (int i = 0; i < trainable.size(); i++) values.put(layout.trained().get(i).key(), trainable.get(i));
        AdaptedWeights.BoundAdapter<Variable<NDArray>> bound = new AdaptedWeights.BoundAdapter<>(layout.method(),
                layer -> parameter -> values.get(layer.name() + "." + parameter), Variable.frozen(adapterWeight));
        Differentiated<NDArray> ops = new Differentiated<>(step.backend, step.tape, checkpointing);
        Variable<NDArray> context = ops.toActivationDtype(switch (batch.conditioning()) {
            case BatchConditioning.Embedded embedded -> Variable.frozen(torch.array(embedded.context()));
            case BatchConditioning.TokenIds tokenIds -> context(tokenIds, bound, step);
        });
        AdaptedWeights<Variable<NDArray>> layers = adapted(TorchEngine.Network.UNET, ops, bound);
        Variable<NDArray> features = ops.toActivationDtype(Variable.frozen(timestepFeatures(batch)));
        UNet unet = engine.model().unet();
        Function<Tensor, Variable<NDArray>> input = each -> ops.toActivationDtype(Variable.frozen(torch.array(each)));
        return batch.encoderFeatures()
                .map(each -> unet.decode(ops, layers, each.map(input), features, context))
                .orElseGet(() -> unet.forward(ops, layers, input.apply(batch.noisyLatents()), features, context));
    }

    /// (B, chunks·S, C), in float32 and without checkpointing.
    private Variable<NDArray> context(BatchConditioning.TokenIds tokenIds,
            AdaptedWeights.BoundAdapter<Variable<NDArray>> bound, Step step) {
        Differentiated<NDArray> ops = new Differentiated<>(step.textBackend, step.tape, Checkpointing.NONE);
        ClipTextModel text = engine.model().textEncoder();
        Variable<NDArray> states = text.encode(ops, adapted(TorchEngine.Network.TEXT, ops, bound),
                Variable.frozen(engine.torch().array(tokenIds.ids())), 0);
        int length = tokenIds.ids()[0].length;
        return tokenIds.chunks() == 1 ? states
                : ops.reshape(states, Shape.of(tokenIds.ids().length / tokenIds.chunks(),
                        (long) tokenIds.chunks() * length, text.hiddenSize()));
    }

    private AdaptedWeights<Variable<NDArray>> adapted(TorchEngine.Network network, Differentiated<NDArray> ops,
            AdaptedWeights.BoundAdapter<Variable<NDArray>> bound) {
        TorchWeights weights = engine.layers(network);
        return new AdaptedWeights<>(ops, layer -> {
            LayerWeights<NDArray> base = weights.get(layer);
            return new LayerWeights<>(Variable.frozen(base.weight()),
                    base.bias() == null ? null : Variable.frozen(base.bias()));
        }, List.of(bound));
    }

    private <T> T runInScope(Supplier<T> work) throws Failure {
        engine.checkFiles();
        return TorchFailures.translate("training step", () -> {
            try (TorchScope scope = engine.torch().scope(GradMode.OFF)) {
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
