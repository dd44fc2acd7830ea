package atomstudio.diffusion.ops;

import org.jspecify.annotations.Nullable;

/// A layer's numbers: weight, and bias where it has one. Convolution, linear, norm and embedding alike.
public record Affine<T>(T weight, @Nullable T bias) {}
