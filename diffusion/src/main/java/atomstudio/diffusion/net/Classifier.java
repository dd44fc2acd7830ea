package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;

/// A network that classifies images: a backbone, and a linear head over its features.
public sealed interface Classifier extends Network permits ResNet, ConvNext, VisionTransformer,
        EfficientNetLite {
    /// Normalized pixels (B, channels, H, W) -> logits (B, classes).
    <T> T logits(Ops<T> ops, WeightSource<T> weights, T pixels);

    int classes();

    /// The same backbone with a head for other classes.
    Classifier withClasses(int classes);

    /// The name of the head's layer.
    String head();

    int imageChannels();

    /// The side of the images that it is used with by default, in pixels.
    int defaultImageSize();

    /// Whether its images have one size only.
    default boolean hasFixedImageSize() {
        return false;
    }
}
