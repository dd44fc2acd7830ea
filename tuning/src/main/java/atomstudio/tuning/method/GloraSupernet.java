package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.GloraStructure.Form;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The parameters of all structures of [GloraTerms] at once: those of the largest structure, of which every other one
/// is a part. A vector is the first column of a product's first factor, and a scalar its first element (weight
/// entanglement). Every training step changes the parameters of a structure of its own, drawn for each layer.
/// Source: Chavan et al. 2023, section 3.3, and the authors' code.
public record GloraSupernet(int rank) implements TuningMethod {
    public GloraSupernet {
        if (rank < 1) throw new IllegalArgumentException("rank: expected at least 1, found " + rank);
    }

    private GloraTerms largest() {
        return new GloraTerms(rank, GloraPattern.ofAll(GloraStructure.LARGEST));
    }

    @Override
    public String name() {
        return largest().name();
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        return largest().parameterSpecs(layer);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        return largest().effective(ops, layer, base, parameters, adapterWeight);
    }

    @Override
    public TuningMethod atStep(long seed, int step) {
        return new Sampled(this, layer -> structure(layer, seed, step));
    }

    /// This supernet's parameters in the structures of some layers; the others are unchanged.
    public TuningMethod with(Map<String, GloraStructure> structures) {
        return new Sampled(this, layer -> structures.getOrDefault(layer.name(), GloraStructure.NONE));
    }

    static GloraStructure structure(Layer layer, long seed, int step) {
        CounterRng rng = new CounterRng(seed, "structure " + step + " " + layer.name());
        long[] position = {0};
        return GloraStructure.random(() -> rng.uniform(position[0]++));
    }

    /// The supernet with one structure per layer.
    private record Sampled(GloraSupernet supernet, Function<Layer, GloraStructure> structures)
            implements TuningMethod {
        @Override
        public String name() {
            return supernet.name();
        }

        @Override
        public List<ParameterSpec> parameterSpecs(Layer layer) {
            return supernet.parameterSpecs(layer);
        }

        @Override
        public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
                AdapterParameters<T> parameters, T adapterWeight) {
            return GloraTerms.effective(ops, structures.apply(layer).on(layer), base,
                    (term, form) -> value(ops, term, form, parameters), adapterWeight);
        }

        private <T> T value(Ops<T> ops, String term, Form form, AdapterParameters<T> parameters) {
            boolean isMatrix = GloraStructure.hasLowRank(term);
            T down = parameters.get(isMatrix ? term + "d" : term);
            if (form == Form.LOW_RANK) return ops.matmul(down, parameters.get(term + "u"));
            long rows = ops.shape(down).size(0);
            T column = isMatrix ? ops.matmul(down, ops.constant(unit(supernet.rank, 1)))
                    : ops.reshape(down, Shape.of(rows, 1));
            if (form == Form.VECTOR) return ops.reshape(column, Shape.of(rows));
            return ops.reshape(ops.matmul(ops.constant(unit(1, Math.toIntExact(rows))), column), Shape.of(1));
        }

        /// (1, 0, …) of this shape.
        private static Tensor unit(int rows, int columns) {
            return Tensor.generate(Shape.of(rows, columns), i -> i == 0 ? 1 : 0);
        }
    }

    /// The parameters of a structure of a layer as those of [GloraTerms], by name.
    public Map<String, Tensor> extracted(Layer layer, GloraStructure structure, AdapterParameters<Tensor> parameters) {
        Map<String, Tensor> extracted = new HashMap<>();
        List<Form> forms = structure.on(layer).forms();
        for (int i = 0; i < GloraStructure.TERMS; i++) {
            String term = GloraStructure.TERM_NAMES.substring(i, i + 1);
            Form form = forms.get(i);
            if (form == Form.NONE) continue;
            if (form == Form.LOW_RANK) {
                for (String factor : List.of(term + "d", term + "u")) extracted.put(factor, parameters.get(factor));
                continue;
            }
            Tensor down = parameters.get(GloraStructure.hasLowRank(term) ? term + "d" : term);
            int columns = Math.toIntExact(down.shape().elements() / down.shape().size(0));
            extracted.put(term, Tensor.generate(Shape.of(form == Form.SCALAR ? 1 : down.shape().size(0)),
                    row -> down.data()[row * columns]));
        }
        return extracted;
    }
}
