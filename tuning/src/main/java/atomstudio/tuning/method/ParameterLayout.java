package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// All parameters that a method adds to a network, in a fixed order. The trained ones form one flat vector, on which
/// optimizers work.
public record ParameterLayout(TuningMethod method, List<LayerParameter> trained, List<LayerParameter> frozen,
        List<LayerParameter> derived) {
    /// A parameter of one layer.
    public record LayerParameter(Layer layer, ParameterSpec spec) {
        /// `LAYER.PARAMETER`.
        public String key() {
            return layer.name() + "." + spec.name();
        }
    }

    public ParameterLayout {
        trained = List.copyOf(trained);
        frozen = List.copyOf(frozen);
        derived = List.copyOf(derived);
    }

    public static ParameterLayout of(TuningMethod method, List<Layer> layers) {
        List<LayerParameter> trained = new ArrayList<>();
        List<LayerParameter> frozen = new ArrayList<>();
        List<LayerParameter> derived = new ArrayList<>();
        for (Layer layer : layers) for (ParameterSpec spec : method.parameterSpecs(layer)) {
            List<LayerParameter> entries = switch (spec.role()) {
                case TRAINED -> trained;
                case FROZEN -> frozen;
                case DERIVED -> derived;
            };
            entries.add(new LayerParameter(layer, spec));
        }
        return new ParameterLayout(method, trained, frozen, derived);
    }

    /// Length of the vector.
    public int size() {
        return Math.toIntExact(trained.stream().mapToLong(entry -> entry.spec.shape().elements()).sum());
    }

    /// Shapes of the parameters in the vector, in order.
    public List<Shape> shapes() {
        return trained.stream().map(entry -> entry.spec.shape()).toList();
    }

    /// Inputs of the initialization.
    /// @param weights     the base model's weight of a layer
    /// @param classTokens token ids of the class word
    public record Initialization(Function<Layer, Tensor> weights, long seed, List<Integer> classTokens) {
        public Initialization {
            classTokens = List.copyOf(classTokens);
        }

        private Tensor tensor(LayerParameter entry, Map<String, Tensor> computed) {
            CounterRng rng = new CounterRng(seed, "start " + entry.key());
            ParameterSpec.InitContext context = new ParameterSpec.InitContext(
                    () -> weights.apply(entry.layer), rng, classTokens,
                    parameter -> computed.get(entry.layer.name() + "." + parameter));
            return entry.spec.initializer().initialize(context);
        }
    }

    /// The vector before training.
    public float[] initialVector(Initialization initialization) {
        Map<String, Tensor> values = new HashMap<>();
        trained.forEach(entry -> values.put(entry.key(), initialization.tensor(entry, Map.of())));
        return toVector(values);
    }

    /// The frozen parameters, keyed `LAYER.PARAMETER`.
    public Map<String, Tensor> frozenValues(Initialization initialization) {
        Map<String, Tensor> values = new HashMap<>();
        frozen.forEach(entry -> values.put(entry.key(), initialization.tensor(entry, values)));
        return values;
    }

    /// Stored values together with the parameters derived from them and the base model's weights.
    /// @throws IllegalArgumentException when a derived parameter differs from that at training
    public Map<String, Tensor> withDerived(Map<String, Tensor> stored, Function<Layer, Tensor> weights) {
        Map<String, Tensor> values = new HashMap<>(stored);
        derive(stored, weights, values::put);
        return values;
    }

    /// Passes the derived parameters to a sink one at a time, so that they need not all be in memory.
    /// @throws IllegalArgumentException as [#withDerived]
    public void derive(Map<String, Tensor> stored, Function<Layer, Tensor> weights, BiConsumer<String, Tensor> sink) {
        Initialization initialization = new Initialization(weights, 0, List.of());
        derived.forEach(entry -> sink.accept(entry.key(), initialization.tensor(entry, stored)));
    }

    /// Elements of all derived parameters.
    public long derivedElementCount() {
        return derived.stream().mapToLong(entry -> entry.spec.shape().elements()).sum();
    }

    /// The vector of values keyed `LAYER.PARAMETER`.
    public float[] toVector(Map<String, Tensor> values) {
        float[] vector = new float[size()];
        int offset = 0;
        for (LayerParameter entry : trained) {
            float[] elements = values.get(entry.key()).data();
            System.arraycopy(elements, 0, vector, offset, elements.length);
            offset += elements.length;
        }
        return vector;
    }

    /// The values of a vector, keyed `LAYER.PARAMETER`.
    public Map<String, Tensor> fromVector(float[] vector) {
        Map<String, Tensor> values = new HashMap<>();
        int offset = 0;
        for (LayerParameter entry : trained) {
            int size = Math.toIntExact(entry.spec.shape().elements());
            values.put(entry.key(), new Tensor(entry.spec.shape(), Arrays.copyOfRange(vector, offset, offset + size)));
            offset += size;
        }
        return values;
    }
}
