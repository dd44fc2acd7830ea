package atomstudio.diffusion.ops;

/// Stride and zero padding of a convolution, each side by itself: the autoencoder's downsampling pads right and bottom only.
public record Conv2d(int stride, int top, int left, int bottom, int right) {
    /// Stride 1, padded so that an odd kernel keeps the size.
    public static Conv2d same(int kernel) {
        return new Conv2d(1, kernel / 2, kernel / 2, kernel / 2, kernel / 2);
    }

    public static Conv2d strided(int stride, int padding) {
        return new Conv2d(stride, padding, padding, padding, padding);
    }
}
