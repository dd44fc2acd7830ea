package atomstudio.tuning.method;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.OptionalInt;

/// LoRA with random matrices that all layers share and that are not trained: W + Λ_b · B · Λ_d · A with diagonal
/// Λ_d (r), started at 0.1, and Λ_b (Co), started at 0. A (r, Ci) and B (Co, r) are the leading columns and rows of two
/// matrices that follow from the seed, so that files need not store them: Kaiming uniform, for the inputs of the layer.
/// Of the layers of a UNet or a classifier, not of a text encoder. An adapter of another program, whose training goes
/// on here, has matrices of its own, which files then store.
/// Source: Kopiczko, Blankevoort, Asano 2024, "VeRA: Vector-based Random Matrix Adaptation", equation 2, section 3.3.
/// @param seed of A and B; empty if these are stored
public record Vera(int rank, OptionalInt seed) implements TuningMethod {
    /// The value of the seed's setting where A and B are stored.
    public static final String STORED = "stored";
    private static final double D_INIT = 0.1;

    Vera(int rank, int seed) {
        this(rank, OptionalInt.of(seed));
    }

    static Vera of(int rank, String seed) {
        return new Vera(rank, seed.equals(STORED) ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(seed)));
    }

    /// The value of the seed's setting: a number or [#STORED].
    static Object seed(String text) {
        return text.strip().equals(STORED) ? STORED : (Object) Integer.valueOf(text.strip());
    }

    /// Of a training that does not go on from an adapter.
    /// @throws Failure.Incompatible if it needs matrices that only an adapter has
    public static void requireSeed(MethodSettings settings) throws Failure.Incompatible {
        if (settings.settings().contains(MethodSetting.PROJECTION_SEED)
                && settings.value(MethodSetting.PROJECTION_SEED).equals(STORED))
            throw new Failure.Incompatible(
                    "projection-seed " + STORED + ": expected an adapter whose training goes on, "
                            + "which has the matrices, found none; choose a whole number");
    }

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
        ParameterSpec.Initializer a = _ -> a(layer.fanIn(), layer.fanIn()), b = _ -> b(outputs.size(0));
        Shape aShape = Shape.of(rank, layer.fanIn()), bShape = Shape.of(outputs.size(0), rank);
        return List.of(
                seed.isPresent() ? ParameterSpec.derived("A", aShape, a) : ParameterSpec.frozen("A", aShape, a),
                seed.isPresent() ? ParameterSpec.derived("B", bShape, b) : ParameterSpec.frozen("B", bShape, b),
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
        int known = seed.orElseThrow(() -> new IllegalStateException("VeRA without a seed has stored matrices"));
        CounterRng rng = new CounterRng(known, stream);
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
