package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.setting.OptionValue;
import java.util.List;

/// Block-diagonal rotation R = (I + Q)(I − Q)⁻¹ of a layer's channels with skew-symmetric Q; the b(b−1)/2 elements
/// above Q's diagonal are trained per block of b channels. On the input side the weight is W · Rᵀ with W as
/// (Co, Ci·k²): filters keep their norms and the angles between them. A layer whose channels do not divide into blocks
/// is skipped.
/// Source: Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", section 3.2 (Cayley
/// 1846); convolutions as in peft.
public record Oft(Side side, BlockSpec blocks) implements TuningMethod {
    /// Which channels of a layer are rotated.
    public enum Side implements OptionValue {
        /// W · Rᵀ, as in the paper, its code and peft.
        INPUT,
        /// R · W, as in LyCORIS: angles between filters change.
        OUTPUT
    }

    /// Number or size of the blocks that a layer's channels are divided into.
    public record BlockSpec(Unit unit, int value) {
        public enum Unit { COUNT, SIZE }

        private static final String FRACTION_PREFIX = "1/";

        public BlockSpec {
            if (unit == Unit.COUNT && value < 1)
                throw new IllegalArgumentException(
                        "block-size: expected 1/1 or a smaller share, found " + FRACTION_PREFIX + value);
            if (unit == Unit.SIZE && value < 2)
                throw new IllegalArgumentException("block-size: expected at least 2, found " + value
                        + "; one channel alone cannot be rotated");
        }

        /// From `8` (channels) or `1/4` (of a layer's channels).
        static BlockSpec parse(String text) {
            String stripped = text.strip();
            try {
                return stripped.startsWith(FRACTION_PREFIX)
                        ? new BlockSpec(Unit.COUNT,
                                Integer.parseInt(stripped.substring(FRACTION_PREFIX.length()).strip()))
                        : new BlockSpec(Unit.SIZE, Integer.parseInt(stripped));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "block-size: expected a whole number of channels, or a share of them such as 1/4, found "
                                + text,
                        e);
            }
        }

        /// Channels per block; 0 where the channels do not divide into blocks of two or more.
        int blockSize(long channels) {
            long size = unit == Unit.SIZE ? value : channels / value;
            boolean divides = size >= 2 && channels % size == 0 && (unit == Unit.SIZE || channels % value == 0);
            return divides ? Math.toIntExact(size) : 0;
        }

        @Override public String toString() {
            return unit == Unit.COUNT ? FRACTION_PREFIX + value : Integer.toString(value);
        }
    }

    @Override public String name() {
        return "oft";
    }

    @Override public List<ParameterSpec> parameterSpecs(Layer layer) {
        int b = blockSize(layer);
        if (b == 0) return List.of();
        return List.of(ParameterSpec.zeros("Q", Shape.of(channels(layer) / b, b * (b - 1L) / 2)));
    }

    @Override public boolean skipsIndivisible(Layer layer) {
        return layer.isProjection() && blockSize(layer) == 0;
    }

    private int blockSize(Layer layer) {
        return layer.isProjection() ? blocks.blockSize(channels(layer)) : 0;
    }

    private long channels(Layer layer) {
        return switch (side) {
            case INPUT -> layer.fanIn();
            case OUTPUT -> layer.weightShape().size(0);
        };
    }

    @Override
    public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters,
            T adapterWeight) {
        T rotation = rotation(ops, parameters.get("Q"), blockSize(layer));
        T rotated = switch (side) {
            case INPUT -> rotateInputs(ops, layer, base.weight(), rotation);
            case OUTPUT -> rotateOutputs(ops, layer, base.weight(), rotation);
        };
        T weight = ops.reshape(rotated, layer.weightShape());
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), weight, adapterWeight), base.bias());
    }

    private <T> T rotateInputs(Ops<T> ops, Layer layer, T weight, T rotation) {
        int blockSize = blockSize(layer);
        long blockCount = layer.fanIn() / blockSize;
        Shape blocks = Shape.of(layer.weightShape().size(0), blockCount, blockSize);
        T filters = ops.permute(ops.reshape(weight, blocks), 1, 0, 2);
        return ops.permute(ops.matmul(filters, ops.permute(rotation, 0, 2, 1)), 1, 0, 2);
    }

    private <T> T rotateOutputs(Ops<T> ops, Layer layer, T weight, T rotation) {
        int blockSize = blockSize(layer);
        long blockCount = layer.weightShape().size(0) / blockSize;
        return ops.matmul(rotation, ops.reshape(weight, Shape.of(blockCount, blockSize, layer.fanIn())));
    }

    /// R = (I + Q)(I − Q)⁻¹ per block, (channels/b, b, b).
    static <T> T rotation(Ops<T> ops, T upperTriangle, int blockSize) {
        T q = ops.skewSymmetric(upperTriangle, blockSize);
        T identity = ops.constant(identity(blockSize));
        return ops.matmul(ops.add(identity, q), ops.inverse(ops.add(identity, ops.scale(q, -1))));
    }

    private static Tensor identity(int blockSize) {
        Tensor identity = Tensor.zeros(Shape.of(1, blockSize, blockSize));
        for (int i = 0; i < blockSize; i++) identity.data()[i * blockSize + i] = 1;
        return identity;
    }
}
