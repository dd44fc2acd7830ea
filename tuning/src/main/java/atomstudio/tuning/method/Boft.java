package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// OFT of the inputs with m butterfly factors: W · (R_{m−1} ⋯ R_0)ᵀ. Every factor is block diagonal up to a
/// permutation, so that their product mixes up to b · 2^(m−1) channels with m · b/2 parameters per channel. Each block
/// is (I + Q)(I − Q)⁻¹ with Q skew-symmetric and started at 0. Factor i has blocks of b channels: two runs of b/2 that
/// are 2ⁱ · b/2 channels apart. A layer whose inputs do not divide into blocks of b · 2^(m−1) is skipped.
/// Source: Liu et al. 2024, "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization", section 4; the
/// runs as in peft, without its trained scale of the outputs.
public record Boft(Oft.BlockSpec blocks, int factors) implements TuningMethod {
    private static final int MAX_FACTORS = 16;

    public Boft {
        if (factors < 1 || factors > MAX_FACTORS)
            throw new IllegalArgumentException(
                    "butterfly-factors: expected 1 to " + MAX_FACTORS + ", found " + factors);
    }

    @Override
    public String name() {
        return "boft";
    }

    @Override
    public List<ParameterSpec> parameterSpecs(Layer layer) {
        int b = blockSize(layer);
        return b == 0 ? List.of()
                : List.of(ParameterSpec.zeros("Q", Shape.of(factors, layer.fanIn() / b, b * (b - 1L) / 2)));
    }

    @Override
    public boolean skipsIndivisible(Layer layer) {
        return layer.isProjection() && blockSize(layer) == 0;
    }

    /// 0 for a layer that is skipped.
    private int blockSize(Layer layer) {
        if (!layer.isProjection()) return 0;
        int b = blocks.blockSize(layer.fanIn());
        boolean divides = b == 0 || factors == 1 || b % 2 == 0 && layer.fanIn() % ((long) b << factors - 1) == 0;
        return divides ? b : 0;
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        int b = blockSize(layer);
        long outputs = layer.weightShape().size(0), blockCount = layer.fanIn() / b;
        T q = ops.reshape(parameters.get("Q"), Shape.of(factors * blockCount, b * (b - 1L) / 2));
        List<T> rotations = ops.split(Oft.rotation(ops, q, b), factors, 0);
        T rows = ops.permute(ops.reshape(base.weight(), Shape.of(outputs, layer.fanIn())), 1, 0);
        for (int i = 0; i < factors; i++) rows = factor(ops, i, rows, rotations.get(i));
        T weight = ops.reshape(ops.permute(rows, 1, 0), layer.weightShape());
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
    }

    /// A butterfly factor times a matrix.
    /// @param index  of the factor, which is the distance of the two runs of a block
    /// @param rows   (channels, columns)
    /// @param blocks of the factor, (channels/b, b, b)
    public static <T> T factor(Ops<T> ops, int index, T rows, T blocks) {
        Shape shape = ops.shape(rows);
        long b = ops.shape(blocks).size(1);
        Shape byBlock = Shape.of(shape.size(0) / b, b, shape.size(1));
        if (index == 0) return ops.reshape(ops.matmul(blocks, ops.reshape(rows, byBlock)), shape);
        long half = b / 2, distance = 1L << index, groups = shape.size(0) / (2 * distance * half);
        T gathered = ops.permute(ops.reshape(rows, Shape.of(groups, 2, distance, half, shape.size(1))), 0, 2, 1, 3, 4);
        T rotated = ops.reshape(ops.matmul(blocks, ops.reshape(gathered, byBlock)),
                Shape.of(groups, distance, 2, half, shape.size(1)));
        return ops.reshape(ops.permute(rotated, 0, 2, 1, 3, 4), shape);
    }
}
