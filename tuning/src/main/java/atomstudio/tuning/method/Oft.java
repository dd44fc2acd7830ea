package atomstudio.tuning.method;

import atomstudio.diffusion.ops.AdapterParameters;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Rotations of blocks of channels by R, block diagonal with R = (I + Q)(I − Q)⁻¹, Q skew; the b(b−1)/2 numbers above Q's diagonal are tuned for
/// each block. On the input side W · Rᵀ, W as (Co, Ci · k²): the filters keep their lengths and the angles between them. A layer whose
/// channels do not divide into the blocks is left alone.
/// Source: Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", section 3.2 (Cayley 1846); for convolutions as in peft.
public record Oft(Side side, Blocks blocks) implements TuningMethod {
    /// Which channels of a layer are turned.
    public enum Side {
        /// What goes in, as in the paper, its code and peft.
        INPUT,
        /// What comes out, R · W, as in LyCORIS: angles between filters change.
        OUTPUT;

        static Side of(String name) {
            return Stream.of(values()).filter(side -> side.command().equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("side: expected input or output, found " + name));
        }

        String command() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// How a layer's channels are divided: into so many blocks, or into blocks of so many channels.
    public record Blocks(Of of, int number) {
        public enum Of { COUNT, SIZE }

        private static final String SHARE = "1/";

        public Blocks {
            if (of == Of.COUNT && number < 1) throw new IllegalArgumentException("block: expected 1/1 or a smaller share, found " + SHARE + number);
            if (of == Of.SIZE && number < 2) throw new IllegalArgumentException("block: expected at least 2, found " + number + "; one channel alone cannot be rotated");
        }

        /// From `8` (channels) or `1/4` (of a layer's channels).
        static Blocks parse(String text) {
            boolean share = text.strip().startsWith(SHARE);
            try {
                int number = Integer.parseInt(share ? text.strip().substring(SHARE.length()).strip() : text.strip());
                return new Blocks(share ? Of.COUNT : Of.SIZE, number);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("block: expected a whole number of channels, or a share of them as in 1/4, found " + text, e);
            }
        }

        /// Channels of a block; 0 where the channels do not divide into blocks of two or more.
        int size(long channels) {
            long size = of == Of.SIZE ? number : channels / number;
            return size >= 2 && channels % size == 0 && (of == Of.SIZE || channels % number == 0) ? Math.toIntExact(size) : 0;
        }

        @Override public String toString() {
            return of == Of.COUNT ? SHARE + number : Integer.toString(number);
        }
    }

    @Override public String name() {
        return "oft";
    }

    @Override public List<Slot> slots(Layer layer) {
        int block = block(layer);
        if (block == 0) return List.of();
        return List.of(Slot.zero("Q", Shape.of(channels(layer) / block, block * (block - 1L) / 2)));
    }

    @Override public boolean leavesAlone(Layer layer) {
        return layer.isProjection() && block(layer) == 0;
    }

    private int block(Layer layer) {
        return layer.isProjection() ? blocks.size(channels(layer)) : 0;
    }

    private long channels(Layer layer) {
        return switch (side) {
            case INPUT -> layer.fanIn();
            case OUTPUT -> layer.weightShape().size(0);
        };
    }

    @Override public <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base, AdapterParameters<T> theta, T strength) {
        T rotation = rotation(ops, theta.get("Q"), block(layer));
        T turned = switch (side) {
            case INPUT -> input(ops, layer, base.weight(), rotation);
            case OUTPUT -> output(ops, layer, base.weight(), rotation);
        };
        return new LayerWeights<>(Strength.toward(ops, base.weight(), ops.reshape(turned, layer.weightShape()), strength), base.bias());
    }

    private <T> T input(Ops<T> ops, Layer layer, T weight, T rotation) {
        int block = block(layer);
        long blocks = layer.fanIn() / block;
        T filters = ops.permute(ops.reshape(weight, Shape.of(layer.weightShape().size(0), blocks, block)), 1, 0, 2);
        return ops.permute(ops.matmul(filters, ops.permute(rotation, 0, 2, 1)), 1, 0, 2);
    }

    private <T> T output(Ops<T> ops, Layer layer, T weight, T rotation) {
        int block = block(layer);
        return ops.matmul(rotation, ops.reshape(weight, Shape.of(layer.weightShape().size(0) / block, block, layer.fanIn())));
    }

    private static <T> T rotation(Ops<T> ops, T above, int block) {
        T q = ops.skewSymmetric(above, block);
        T identity = ops.constant(identity(block));
        return ops.matmul(ops.add(identity, q), ops.inverse(ops.add(identity, ops.scale(q, -1))));
    }

    private static Tensor identity(int block) {
        Tensor identity = Tensor.zeros(Shape.of(1, block, block));
        for (int i = 0; i < block; i++) identity.data()[i * block + i] = 1;
        return identity;
    }
}
