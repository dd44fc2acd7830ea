package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;

/// A layer as a network asks for it. `name` is its diffusers (or transformers) state-dict key without `.weight`;
/// `weight` is (Co,Ci,k,k) for convolutions, (Co,Ci) for linear layers, (C) for norms, (N,C) for embeddings.
public record Layer(String name, Kind kind, Shape weight, Bias bias) {
    public enum Kind { CONV, LINEAR, NORM, EMBEDDING }

    public enum Bias { PRESENT, ABSENT }

    public boolean biased() {
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
        return Shape.of(weight.size(0));
    }

    /// Numbers in weight and bias.
    public long parameters() {
        return weight.elements() + (biased() ? weight.size(0) : 0);
    }

    /// Side of the kernel: 1 for linear layers, k for a k x k convolution.
    public long kernel() {
        return weight.rank() == 4 ? weight.size(3) : 1;
    }

    /// Numbers that make one output channel: Ci for linear layers, Ci · k² for convolutions.
    public long fanIn() {
        return weight.elements() / weight.size(0);
    }

    /// Whether it maps channels to channels: a convolution or a linear layer.
    public boolean maps() {
        return switch (kind) {
            case CONV, LINEAR -> true;
            case NORM, EMBEDDING -> false;
        };
    }
}
