package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.Winograd;
import atomstudio.diffusion.tensor.Shape;
import java.time.Duration;

/// The sizes from which one way to compute is faster, or smaller, than another. All are measured
/// (docs/decisions/thresholds.md); training and its memory estimate choose by the same functions. Winograd's smallest
/// number of channels is shared with ONNX Runtime ([Winograd#isFaster]).
final class KernelThresholds {
    /// Winograd tiles of a batch.
    private static final long MIN_WINOGRAD_TILES = 64;
    /// Atoms on activations cost k² · Ci values per pixel, an effective weight and its gradient k² · Ci · Co values
    /// each: the former is faster with many channels and few pixels.
    private static final double MIN_ATOM_COST_RATIO = 1200;
    private static final double PIXELS_AT_EQUAL_COST = 1000;
    /// Below it the overhead of the calls dominates.
    private static final long MIN_ATOM_CHANNEL_PRODUCT = 1 << 18;
    /// Elements of a chunk of transformed kernels, or of an effective weight, that fits in the CPU's cache.
    private static final long MAX_CHUNK_ELEMENTS = 1L << 21;
    /// Elements of the S x S' matrices up to which bfloat16 attention is not fused, since the fused backward pass is
    /// slow.
    private static final long MAX_UNFUSED_ELEMENTS = 1L << 25;
    /// From this many channels on, a recomputed product costs too much for the memory it saves, which does not depend
    /// on the width.
    private static final long MAX_RECOMPUTED_CHANNELS = 1024;

    private static final long MIN_REORDERED_CHANNEL_PRODUCT = 1 << 18;

    /// Unused bytes in the C heap; released pages cost time when they are needed again. With 384 MB a LoRA step of
    /// Stable Diffusion 1.5's size has twice the page faults.
    static final long MAX_UNUSED_HEAP_BYTES = 640 << 20;
    /// The same in bfloat16, whose activations have half the size.
    static final long MAX_UNUSED_BF16_HEAP_BYTES = 256 << 20;
    /// The same while sampling, whose activations are smaller.
    static final long MAX_UNUSED_SAMPLING_HEAP_BYTES = 64 << 20;
    /// A check takes about 0.3 ms.
    static final Duration HEAP_CHECK_INTERVAL = Duration.ofMillis(50);

    private KernelThresholds() {}

    /// Whether Winograd's algorithm is faster on the CPU for x (B, Ci, H, W) and a weight (Co, Ci, k, k); only for
    /// whole tiles.
    static boolean prefersWinograd(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        boolean whole = x.size(2) % Winograd.TILE_SIZE == 0 && x.size(3) % Winograd.TILE_SIZE == 0;
        return whole && Winograd.isFaster(x, weight, geometry)
                && x.size(0) * Winograd.tileCount(x.size(2)) * Winograd.tileCount(x.size(3)) >= MIN_WINOGRAD_TILES;
    }

    /// Whether a kernel transform is faster on the activations than on the weight.
    static boolean prefersAtomsOnActivations(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        long out = weight.size(0), in = weight.size(1);
        double pixels = (double) x.size(0) * x.size(2) * x.size(3) / geometry.stride() / geometry.stride();
        return geometry.isSymmetric() && geometry.groups() == 1 && in * out >= MIN_ATOM_CHANNEL_PRODUCT
                && out * (1 + PIXELS_AT_EQUAL_COST / pixels) > MIN_ATOM_COST_RATIO;
    }

    /// Whether a bfloat16 kernel (Co, Ci, k, k) is kept in oneDNN's layout where there is AMX: reordering it at every
    /// call takes 10 to 60 % of the time of a convolution with a large kernel on few pixels, and nothing of others.
    static boolean prefersReordered(Shape kernel) {
        return kernel.rank() == 4 && kernel.size(2) > 1
                && kernel.size(0) * kernel.size(1) >= MIN_REORDERED_CHANNEL_PRODUCT;
    }

    /// Output channels of a chunk of Winograd kernels; divides Co.
    static long winogradChunk(Shape weight) {
        long step = weight.size(0);
        while (step % 2 == 0 && Winograd.POINTS * step * weight.size(1) > MAX_CHUNK_ELEMENTS) step /= 2;
        return step;
    }

    /// Output channels of a chunk of an effective weight with blocks of this side; the last chunk may be smaller.
    static long channelAtomChunk(Shape weight, long blockSide) {
        return Math.max(1, MAX_CHUNK_ELEMENTS / weight.size(1) / blockSide) * blockSide;
    }

    /// Whether bfloat16 attention of q (B, S, C) and k (B, S', C) is computed with its matrix in memory.
    static boolean prefersUnfusedAttention(Shape q, Shape k, int heads) {
        return q.size(0) * heads * q.size(1) * k.size(1) <= MAX_UNFUSED_ELEMENTS;
    }

    /// Whether a large, cheap product of this input (B, S, C) is recomputed.
    static boolean prefersRecomputing(Shape x) {
        return x.size(-1) < MAX_RECOMPUTED_CHANNELS;
    }
}
