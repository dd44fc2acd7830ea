package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDScope;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.AdaptedWeights;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.Tape.Variable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/// The loss of an objective and its gradient with respect to a method's parameters. Base weights are frozen; effective
/// weights are computed from them and the parameters on the tape. No native array of a call outlives it.
/// @param <B> the batch
public class TrainingLoss<B> implements AutoCloseable {
    /// @param vector in the layout's order
    public record Gradient(double loss, float[] vector) {}

    private final TrainedNetworks networks;
    private final Objective<B> objective;
    private final ParameterLayout layout;
    private final Checkpointing checkpointing;
    final ComputeDtype computeDtype;
    private final NDArray adapterWeight;
    private final Map<String, NDArray> frozenValues = new HashMap<>();

    TrainingLoss(TrainedNetworks networks, Objective<B> objective, DenoisingLossOptions options) {
        this.networks = networks;
        this.objective = objective;
        this.layout = options.layout();
        this.checkpointing = options.checkpointing();
        this.computeDtype = options.computeDtype();
        this.adapterWeight = persistent(Tensor.filled(Shape.of(1), 1));
        options.frozenValues().forEach((key, value) -> frozenValues.put(key, persistent(value)));
    }

    private NDArray persistent(Tensor tensor) {
        NDArray array = networks.torch().array(tensor);
        NDScope.unregister(array);
        return array;
    }

    /// The loss and its gradient at these parameters.
    public Gradient gradient(float[] parameters, B batch) throws Failure {
        return gradient(parameters, batch, layout.method());
    }

    /// Under another method with the layout's parameters.
    public Gradient gradient(float[] parameters, B batch, TuningMethod method) throws Failure {
        return runInScope(() -> {
            List<Variable<NDArray>> variables = variables(parameters, Variable::trainable);
            try (EagerStep step = new EagerStep(variables, method)) {
                Variable<NDArray> loss = objective.loss(step, batch);
                double value = scalar(loss);
                step.tape.backward(loss, networks.torch().array(Tensor.filled(Shape.of(), 1)));
                return new Gradient(value, networks.torch().gradients(variables));
            }
        });
    }

    /// Only the loss.
    public double loss(float[] parameters, B batch) throws Failure {
        return loss(parameters, batch, layout.method());
    }

    /// Under another method with the layout's parameters.
    public double loss(float[] parameters, B batch, TuningMethod method) throws Failure {
        return runInScope(() -> {
            try (EagerStep step = new EagerStep(variables(parameters, Variable::frozen), method)) {
                return scalar(objective.loss(step, batch));
            }
        });
    }

    private double scalar(Variable<NDArray> loss) {
        return networks.torch().tensor(loss.array()).data()[0];
    }

    /// The tape of one step, with the trained method's layers.
    private final class EagerStep implements Objective.Step<Variable<NDArray>>, AutoCloseable {
        private final EagerGradientOps backend = networks.torch().gradientOps(computeDtype);
        private final Tape<NDArray> tape = new Tape<>(backend);
        private final Differentiated<NDArray> ops = new Differentiated<>(backend, tape, checkpointing);
        private final Differentiated<NDArray> float32Ops = new Differentiated<>(
                networks.torch().gradientOps(ComputeDtype.FP32), tape, Checkpointing.NONE);
        private final TuningMethod method;
        private final Map<String, Variable<NDArray>> values = new HashMap<>();

        /// @param trainable one per parameter, in the layout's order
        EagerStep(List<Variable<NDArray>> trainable, TuningMethod method) {
            this.method = method;
            frozenValues.forEach((key, array) -> values.put(key, Variable.frozen(array)));
            for (ParameterLayout.LayerParameter entry : layout.derived())
                values.computeIfAbsent(entry.key(), key -> Variable.frozen(networks.derived().apply(key)));
            for (int i = 0; i < trainable.size(); i++) values.put(layout.trained().get(i).key(), trainable.get(i));
        }

        @Override
        public LossOps<Variable<NDArray>> ops() {
            return ops;
        }

        @Override
        public LossOps<Variable<NDArray>> float32Ops() {
            return float32Ops;
        }

        @Override
        public WeightSource<Variable<NDArray>> layers(Component component, LossOps<Variable<NDArray>> by,
                float[] timesteps) {
            WeightSource<NDArray> weights = networks.layers().apply(component);
            return new AdaptedWeights<>(by, layer -> {
                NDArray bias = weights.get(layer).bias();
                return new LayerWeights<>(Variable.frozenFrom(() -> weights.get(layer).weight()),
                        bias == null ? null : Variable.frozen(bias));
            }, List.of(new AdaptedWeights.BoundAdapter<>(method, layer -> parameters(layer, by, timesteps),
                    Variable.frozen(adapterWeight))));
        }

        private Adaptation.AdapterParameters<Variable<NDArray>> parameters(Layer layer, LossOps<Variable<NDArray>> by,
                float[] timesteps) {
            Map<String, Tensor> timed = timesteps.length == 0 ? Map.of() : method.atTimesteps(layer, timesteps);
            return name -> timed.containsKey(name) ? by.toActivationDtype(by.constant(timed.get(name)))
                    : values.get(layer.name() + "." + name);
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
            NDArray array = networks.torch().array(new Tensor(shape, Arrays.copyOfRange(parameters, offset, end)));
            variables.add(variable.apply(array));
            offset = end;
        }
        return variables;
    }

    final <R> R runInScope(Supplier<R> work) throws Failure {
        networks.files().run();
        return TorchFailures.translate("training step", () -> {
            try (TorchScope scope = networks.torch().scope(GradMode.OFF)) {
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
