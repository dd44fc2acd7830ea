package atomstudio.diffusion.ops;

/// Stride and zero padding of a convolution, each side by itself: the autoencoder's downsampling pads right and bottom only.
public record ConvGeometry(int stride, int padTop, int padLeft, int padBottom, int padRight) {
    /// Stride 1, padded so that an odd kernel keeps the size.
    public static ConvGeometry same(int kernelSize) {
        return new ConvGeometry(1, kernelSize / 2, kernelSize / 2, kernelSize / 2, kernelSize / 2);
    }

    public static ConvGeometry strided(int stride, int padding) {
        return new ConvGeometry(stride, padding, padding, padding, padding);
    }
}
