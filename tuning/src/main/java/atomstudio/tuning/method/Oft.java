package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Slots;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Rotations of blocks of output channels: R · W, R block diagonal with R = (I + Q)(I − Q)⁻¹, Q skew; the b(b−1)/2 numbers above Q's
/// diagonal are tuned for each block. A layer whose outputs are no multiple of b is left alone.
/// Source: Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", section 3.2 (Cayley 1846), on LyCORIS' side.
public record Oft(int block) implements TuningMethod {
    public Oft {
        if (block < 2) throw new IllegalArgumentException("block: expected at least 2, found " + block + "; one channel alone cannot be rotated");
    }

    @Override public String name() {
        return "oft";
    }

    @Override public List<Slot> slots(Layer layer) {
        if (!layer.maps() || layer.weight().size(0) % block != 0) return List.of();
        return List.of(Slot.zero("Q", Shape.of(layer.weight().size(0) / block, pairs())));
    }

    @Override public boolean leavesAlone(Layer layer) {
        return layer.maps() && layer.weight().size(0) % block != 0;
    }

    @Override public <T> Affine<T> effective(Ops<T> ops, Layer layer, Affine<T> base, Slots<T> theta, T strength) {
        long blocks = layer.weight().size(0) / block;
        T q = ops.reshape(ops.matmul(theta.get("Q"), ops.constant(skew())), Shape.of(blocks, block, block));
        T identity = ops.constant(identity());
        T rotation = ops.matmul(ops.add(identity, q), ops.inverse(ops.add(identity, ops.scale(q, -1))));
        T turned = ops.matmul(rotation, ops.reshape(base.weight(), Shape.of(blocks, block, layer.fanIn())));
        return new Affine<>(Strength.toward(ops, base.weight(), ops.reshape(turned, layer.weight()), strength), base.bias());
    }

    private long pairs() {
        return block * (block - 1L) / 2;
    }

    private Tensor identity() {
        Tensor identity = Tensor.zeros(Shape.of(1, block, block));
        for (int i = 0; i < block; i++) identity.data()[i * block + i] = 1;
        return identity;
    }

    /// (b(b−1)/2, b²): puts the numbers above the diagonal, row by row, and their opposites below it.
    private Tensor skew() {
        Tensor skew = Tensor.zeros(Shape.of(pairs(), (long) block * block));
        int pair = 0;
        for (int i = 0; i < block; i++) for (int j = i + 1; j < block; j++, pair++) {
            skew.data()[(pair * block + i) * block + j] = 1;
            skew.data()[(pair * block + j) * block + i] = -1;
        }
        return skew;
    }
}
