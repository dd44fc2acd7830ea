package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Rotations of blocks of channels by R, block diagonal with R = (I + Q)(I − Q)⁻¹, Q skew; the b(b−1)/2 numbers above
/// Q's diagonal are tuned for each block. On the input side W · Rᵀ, W as (Co, Ci · k²): the filters keep their
/// lengths and the angles between them. A layer whose channels do not divide into the blocks is left alone.
/// Source: Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", section 3.2 (Cayley
/// 1846); for convolutions as in peft.
public record Oft(Side side, BlockSpec blocks) implements TuningMethod {
    /// Which channels of a layer are turned.
    public enum Side {
        /// What goes in, as in the paper, its code and peft.
        INPUT,
        /// What comes out, R · W, as in LyCORIS: angles between filters change.
        OUTPUT;

        static Side ofOption(String name) {
            return Stream.of(values()).filter(side -> side.option().equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("side: expected input or output, found " + name));
        }

        String option() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// How a layer's channels are divided: into so many blocks, or into blocks of so many channels.
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
            boolean isFraction = text.strip().startsWith(FRACTION_PREFIX);
            try {
                int number = Integer.parseInt(isFraction ? text.strip().substring(FRACTION_PREFIX.length()).strip() : text.strip());
                return new BlockSpec(isFraction ? Unit.COUNT : Unit.SIZE, number);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(
                        "block-size: expected a whole number of channels, or a share of them such as 1/4, found "
                                + text,
                        e);
            }
        }

        /// Channels of a block; 0 where the channels do not divide into blocks of two or more.
        int blockSize(long channels) {
            long size = unit == Unit.SIZE ? value : channels / value;
            return size >= 2 && channels % size == 0 && (unit == Unit.SIZE || channels % value == 0) ? Math.toIntExact(size) : 0;
        }

        @Override public String toString() {
            return unit == Unit.COUNT ? FRACTION_PREFIX + value : Integer.toString(value);
        }
    }

    @Override public String name() {
        return "oft";
    }

    @Override public List<ParameterSpec> parameterSpecs(Layer layer) {
        int blockSize = blockSize(layer);
        if (blockSize == 0) return List.of();
        return List.of(ParameterSpec.zeros("Q", Shape.of(channels(layer) / blockSize, blockSize * (blockSize - 1L) / 2)));
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

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> parameters, T adapterWeight) {
        T rotation = rotation(ops, parameters.get("Q"), blockSize(layer));
        T rotated = switch (side) {
            case INPUT -> rotateInputs(ops, layer, base.weight(), rotation);
            case OUTPUT -> rotateOutputs(ops, layer, base.weight(), rotation);
        };
        return new LayerWeights<>(ScaledDelta.interpolate(ops, base.weight(), ops.reshape(rotated, layer.weightShape()), adapterWeight), base.bias());
    }

    private <T> T rotateInputs(Ops<T> ops, Layer layer, T weight, T rotation) {
        int blockSize = blockSize(layer);
        long blockCount = layer.fanIn() / blockSize;
        T filters = ops.permute(ops.reshape(weight, Shape.of(layer.weightShape().size(0), blockCount, blockSize)), 1, 0, 2);
        return ops.permute(ops.matmul(filters, ops.permute(rotation, 0, 2, 1)), 1, 0, 2);
    }

    private <T> T rotateOutputs(Ops<T> ops, Layer layer, T weight, T rotation) {
        int blockSize = blockSize(layer);
        return ops.matmul(rotation, ops.reshape(weight, Shape.of(layer.weightShape().size(0) / blockSize, blockSize, layer.fanIn())));
    }

    private static <T> T rotation(Ops<T> ops, T upperTriangle, int blockSize) {
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
