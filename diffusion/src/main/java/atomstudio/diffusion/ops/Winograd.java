package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;

/// Winograd's minimal filtering F(4×4, 3×3): a 3×3 convolution computes each output tile of 4×4 pixels from an input
/// patch of 6×6 by 36 multiplications instead of 144. Input, filter and output transforms are fixed linear maps, which
/// backends apply as convolutions and matrix products. The rounding error is about ten times that of direct
/// convolution, in float32 1e-5 of the largest value.
/// Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1 and equation 14's
/// matrices for F(4×4, 3×3).
public final class Winograd {
    /// Side of an output tile in pixels.
    public static final int TILE_SIZE = 4;
    /// Multiplications per tile: elements of a transformed 6×6 patch.
    public static final int POINTS = 36;

    /// Input and output channels, and tiles of a batch, from which it is faster, as measured
    /// (docs/decisions/thresholds.md). With fewer channels the transforms cost more than the products save, with fewer
    /// tiles the filter transform does.
    private static final long MIN_CHANNELS = 256;
    private static final long MIN_TILES = 16;

    private static final double[][] INPUT_TRANSFORM = {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
            {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
    private static final double[][] FILTER_TRANSFORM = {{1 / 4.0, 0, 0}, {-1 / 6.0, -1 / 6.0, -1 / 6.0},
            {-1 / 6.0, 1 / 6.0, -1 / 6.0}, {1 / 24.0, 1 / 12.0, 1 / 6.0}, {1 / 24.0, -1 / 12.0, 1 / 6.0}, {0, 0, 1}};
    private static final double[][] OUTPUT_TRANSFORM = {{1, 0, 0, 0}, {1, 1, 1, 1}, {1, -1, 1, -1}, {1, 2, 4, 8},
            {1, -2, 4, -8}, {0, 0, 0, 1}};

    private Winograd() {}

    /// Whether it applies to a convolution of x (B, Ci, H, W) with weight (Co, Ci, k, k) and is faster than the
    /// direct one.
    public static boolean isFaster(Shape x, Shape weight, Ops.ConvGeometry geometry) {
        boolean applies = weight.size(2) == 3 && weight.size(3) == 3 && geometry.equals(Ops.ConvGeometry.same(3));
        return applies && Math.min(weight.size(0), weight.size(1)) >= MIN_CHANNELS
                && x.size(0) * tileCount(x.size(2)) * tileCount(x.size(3)) >= MIN_TILES;
    }

    /// Tiles that cover a side of `pixels`; the last may extend beyond it.
    public static long tileCount(long pixels) {
        return (pixels + TILE_SIZE - 1) / TILE_SIZE;
    }

    /// Stride and padding of the convolution by [#inputTransform]: the patch of a tile has a border of one pixel.
    public static Ops.ConvGeometry patchGeometry(long height, long width) {
        return new Ops.ConvGeometry(TILE_SIZE, 1, 1, (int) (TILE_SIZE * tileCount(height) + 1 - height),
                (int) (TILE_SIZE * tileCount(width) + 1 - width));
    }

    /// The input transform BᵀdB, as kernels (36, 1, 6, 6) of a convolution over single channels.
    public static Tensor inputTransform() {
        return new Tensor(Shape.of(POINTS, 1, 6, 6), kronecker(INPUT_TRANSFORM, INPUT_TRANSFORM));
    }

    /// The filter transform GgGᵀ, a matrix (36, 9).
    public static Tensor filterTransform() {
        return new Tensor(Shape.of(POINTS, 9), kronecker(FILTER_TRANSFORM, FILTER_TRANSFORM));
    }

    /// The output transform AᵀmA, as kernels (36, 1, 4, 4) of a transposed convolution.
    public static Tensor outputTransform() {
        return new Tensor(Shape.of(POINTS, 1, TILE_SIZE, TILE_SIZE), kronecker(OUTPUT_TRANSFORM, OUTPUT_TRANSFORM));
    }

    /// The Kronecker product, row-major: a one-dimensional transform applied along both axes.
    private static float[] kronecker(double[][] a, double[][] b) {
        int rows = a.length, columns = a[0].length;
        float[] result = new float[rows * rows * columns * columns];
        int index = 0;
        for (double[] rowA : a)
            for (double[] rowB : b)
                for (double x : rowA) for (double y : rowB) result[index++] = (float) (x * y);
        return result;
    }
}
