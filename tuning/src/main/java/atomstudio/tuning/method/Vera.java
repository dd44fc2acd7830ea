package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// LoRA with random matrices that all layers share and that are not trained: W + Λ_b · B · Λ_d · A with diagonal
/// Λ_d (r), started at 0.1, and Λ_b (Co), started at 0. A (r, Ci) and B (Co, r) are the leading columns and rows of two
/// matrices that follow from the seed, so that files need not store them: Kaiming uniform, for the inputs of the layer.
/// Of the layers of a UNet or a classifier, not of a text encoder.
/// Source: Kopiczko, Blankevoort, Asano 2024, "VeRA: Vector-based Random Matrix Adaptation", equation 2, section 3.3.
/// @param seed of A and B
public record Vera(int rank, int seed) implements TuningMethod {
    private static final double D_INIT = 0.1;

    public Vera {
        if (rank < 1) throw new IllegalArgumentException("rank: expected at least 1, found " + rank);
    }

    @Override
    public String name() {
        return "vera";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        boolean isOfNetwork = layer.component().equals(Component.UNET)
                || layer.component().equals(Component.CLASSIFIER);
        if (!layer.isProjection() || !isOfNetwork) return List.of();
        Shape d = Shape.of(rank), outputs = Shape.of(layer.weightShape().size(0));
        return List.of(
                ParameterSpec.derived("A", Shape.of(rank, layer.fanIn()), _ -> a(layer.fanIn(), layer.fanIn())),
                ParameterSpec.derived("B", Shape.of(outputs.size(0), rank), _ -> b(outputs.size(0))),
                ParameterSpec.trained("d", d, _ -> Tensor.filled(d, (float) D_INIT)),
                ParameterSpec.zeros("b", outputs));
    }

    /// A with `inputs` columns, as for a layer with `fanIn` inputs.
    public Tensor a(long inputs, long fanIn) {
        return uniform("vera A", Shape.of(rank, inputs), fanIn);
    }

    /// B with `outputs` rows.
    public Tensor b(long outputs) {
        return uniform("vera B", Shape.of(outputs, rank), rank);
    }

    /// Within ±√(6/n); a value depends on its row and column alone.
    private Tensor uniform(String stream, Shape shape, long n) {
        CounterRng rng = new CounterRng(seed, stream);
        double bound = Math.sqrt(6.0 / n);
        int columns = Math.toIntExact(shape.size(1));
        return Tensor.generate(shape,
                i -> (2 * rng.uniform(((long) (i / columns) << Integer.SIZE) + i % columns) - 1) * bound);
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T a = ops.multiply(parameters.get("A"), ops.reshape(parameters.get("d"), Shape.of(rank, 1)));
        T lambdaB = ops.reshape(ops.multiply(parameters.get("b"), adapterWeight),
                Shape.of(layer.weightShape().size(0), 1));
        return ScaledDelta.addToWeight(ops, layer, base, ops.matmul(ops.multiply(parameters.get("B"), lambdaB), a));
    }
}
