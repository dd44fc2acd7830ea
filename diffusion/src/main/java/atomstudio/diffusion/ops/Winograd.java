package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Winograd's minimal filtering F(4×4, 3×3): a 3×3 convolution as products at the 36 points of each patch of 6×6
/// pixels, from which a tile of 4×4 follows: 36 multiplications for 144. Input, kernels and output go through fixed
/// linear maps, which carriers apply as their own fast layers. Its rounding error is about ten times that of the
/// direct sum, 1e-5 of the largest number in float32.
/// Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1 and equation 14's
/// matrices for F(4×4, 3×3).
public final class Winograd {
    /// Pixels of a tile along a side.
    public static final int TILE_SIZE = 4;
    /// Products that a tile is made from.
    public static final int POINTS = 36;

    /// Channels on both sides, and tiles in a batch, from which it pays: found by measurement (docs/performance.md).
    /// Fewer channels are done before the maps are, and over fewer tiles the kernels' map costs what the products
    /// save.
    private static final long MIN_CHANNELS = 256;
    private static final long MIN_TILES = 16;

    private static final double[][] INPUT_TRANSFORM = {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
            {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
    private static final double[][] FILTER_TRANSFORM = {{1 / 4.0, 0, 0}, {-1 / 6.0, -1 / 6.0, -1 / 6.0},
            {-1 / 6.0, 1 / 6.0, -1 / 6.0}, {1 / 24.0, 1 / 12.0, 1 / 6.0}, {1 / 24.0, -1 / 12.0, 1 / 6.0}, {0, 0, 1}};
    private static final double[][] OUTPUT_TRANSFORM = {{1, 0, 0, 0}, {1, 1, 1, 1}, {1, -1, 1, -1}, {1, 2, 4, 8},
            {1, -2, 4, -8}, {0, 0, 0, 1}};

    private Winograd() {}

    /// Whether it computes this convolution of x (B,Ci,H,W) by weights (Co,Ci,k,k), and sooner.
    public static boolean isFaster(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        boolean applies = weight.size(2) == 3 && weight.size(3) == 3 && geometry.equals(Ops.ConvGeometry.same(3));
        return applies && Math.min(weight.size(0), weight.size(1)) >= MIN_CHANNELS
                && x.size(0) * tiles(x.size(2)) * tiles(x.size(3)) >= MIN_TILES;
    }

    /// Tiles that cover so many pixels; the last may reach beyond.
    public static long tiles(long pixels) {
        return (pixels + TILE_SIZE - 1) / TILE_SIZE;
    }

    /// Cuts patches out of one channel, every tile's with a pixel of its neighbours around it: stride and padding for
    /// `patches`.
    public static Ops.ConvGeometry patchGeometry(long height, long width) {
        return new Ops.ConvGeometry(TILE_SIZE, 1, 1, (int) (TILE_SIZE * tiles(height) + 1 - height),
                (int) (TILE_SIZE * tiles(width) + 1 - width));
    }

    /// The map of a patch to its points, as kernels (36,1,6,6) of a convolution.
    public static Tensor inputTransform() {
        return new Tensor(Shape.of(POINTS, 1, 6, 6), kronecker(INPUT_TRANSFORM, INPUT_TRANSFORM));
    }

    /// The map of a kernel to its points, (36,9).
    public static Tensor filterTransform() {
        return new Tensor(Shape.of(POINTS, 9), kronecker(FILTER_TRANSFORM, FILTER_TRANSFORM));
    }

    /// The map of products to the pixels of their tile, as kernels (36,1,4,4) of a transposed convolution.
    public static Tensor tiles() {
        return new Tensor(Shape.of(POINTS, 1, TILE_SIZE, TILE_SIZE), kronecker(OUTPUT_TRANSFORM, OUTPUT_TRANSFORM));
    }

    /// The Kronecker product, by rows: what both sides' maps do to a square.
    private static float[] kronecker(double[][] a, double[][] b) {
        int rows = a.length, columns = a[0].length;
        float[] result = new float[rows * rows * columns * columns];
        int index = 0;
        for (double[] vertical : a)
            for (double[] horizontal : b)
                for (double down : vertical) for (double across : horizontal) result[index++] = (float) (down * across);
        return result;
    }
}
