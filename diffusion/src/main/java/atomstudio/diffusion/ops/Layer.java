package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;

/// A layer as a network asks for it. `name` is its diffusers (or transformers) state-dict key without `.weight`;
/// `weight` is (Co,Ci,k,k) for convolutions, (Co,Ci) for linear layers, (C) for norms, (N,C) for embeddings.
public record Layer(String name, Kind kind, Shape weightShape, Bias bias) {
    public enum Kind { CONV, LINEAR, NORM, EMBEDDING }

    public enum Bias { PRESENT, ABSENT }

    public boolean hasBias() {
        return bias == Bias.PRESENT;
    }

    public String weightKey() {
        return name + ".weight";
    }

    public String biasKey() {
        return name + ".bias";
    }

    /// Shape of the bias, should there be one.
    public Shape biasShape() {
        return Shape.of(weightShape.size(0));
    }

    /// Numbers in weight and bias.
    public long parameterCount() {
        return weightShape.elements() + (hasBias() ? weightShape.size(0) : 0);
    }

    /// Side of the kernel: 1 for linear layers, k for a k x k convolution.
    public long kernelSize() {
        return weightShape.rank() == 4 ? weightShape.size(3) : 1;
    }

    /// Numbers that make one output channel: Ci for linear layers, Ci · k² for convolutions.
    public long fanIn() {
        return weightShape.elements() / weightShape.size(0);
    }

    /// Whether it maps channels to channels: a convolution or a linear layer.
    public boolean isProjection() {
        return switch (kind) {
            case CONV, LINEAR -> true;
            case NORM, EMBEDDING -> false;
        };
    }
}
