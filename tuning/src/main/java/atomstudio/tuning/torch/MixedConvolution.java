package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.tensor.Shape;

/// A convolution whose kernels are mixed, without a new weight: the input is unfolded, its k² taps are mixed, and the base weight, as one
/// matrix, takes them to the output. Its gradients need two products with the base weight and none of the weight's own size.
/// Source: Chen, Miao, Qiu 2025, section 3.1 (the two steps Z' = D * X, Z = α × Z'), turned round: here the atoms act on X.
final class MixedConvolution {
    /// Found by measurement (docs/performance.md): the way through the activations costs k² · Ci numbers a pixel, the other one a weight
    /// and a weight gradient of k² · Ci · Co numbers; it pays where there are many channels and few pixels.
    private static final double PAYS = 1200;
    private static final double PIXELS = 1000;
    /// Below that, every call costs more than what it computes.
    private static final long SMALL = 1 << 18;

    private MixedConvolution() {}

    static boolean pays(NDArray x, Affine<NDArray> layer, Conv2d geometry) {
        return layer.mixing() != null && pays(Arrays.shape(x), Arrays.shape(layer.weight()), geometry);
    }

    /// Whether it pays for an input (B,Ci,H,W) and a weight (Co,Ci,k,k).
    static boolean pays(Shape x, Shape weight, Conv2d geometry) {
        boolean even = geometry.top() == geometry.bottom() && geometry.left() == geometry.right() && geometry.top() == geometry.left();
        long out = weight.size(0), in = weight.size(1);
        double pixels = (double) x.size(0) * x.size(2) * x.size(3) / geometry.stride() / geometry.stride();
        return even && in * out >= SMALL && out * (1 + PIXELS / pixels) > PAYS;
    }
}
