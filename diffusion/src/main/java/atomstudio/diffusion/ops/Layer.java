package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import java.util.List;

/// A layer of a network.
/// @param path its diffusers or transformers state-dict key in the component, without `.weight`
/// @param weightShape (Co, Ci / groups, k, k) for convolutions, (Co, Ci) for linear layers, (C) for norms, scales and
///     buffers, (N, C) for embeddings
/// @param groups      of a convolution
public record Layer(Component component, String path, Kind kind, Shape weightShape, Bias bias, int groups) {
    /// SCALE: a scale per channel without bias (layer scale). BUFFER: values that are not parameters, such as a batch
    /// norm's running statistics; no method trains them.
    public enum Kind { CONV, LINEAR, NORM, EMBEDDING, SCALE, BUFFER }

    public enum Bias { PRESENT, ABSENT }

    /// Not a grouped convolution.
    public Layer(Component component, String path, Kind kind, Shape weightShape, Bias bias) {
        this(component, path, kind, weightShape, bias, 1);
    }

    /// Its name in adapters and runs, unique in a model.
    public String name() {
        return component.layerName(path);
    }

    public boolean hasBias() {
        return bias == Bias.PRESENT;
    }

    public String weightKey() {
        return path + ".weight";
    }

    public String biasKey() {
        return path + ".bias";
    }

    /// The shape of a bias, whether or not the layer has one.
    public Shape biasShape() {
        return Shape.of(weightShape.size(0));
    }

    /// Number of elements of weight and bias; 0 for a buffer.
    public long parameterCount() {
        return kind == Kind.BUFFER ? 0 : weightShape.elements() + (hasBias() ? weightShape.size(0) : 0);
    }

    /// Number of parameters of some layers.
    public static long parameterCount(List<Layer> layers) {
        return layers.stream().mapToLong(Layer::parameterCount).sum();
    }

    /// Number of weight and bias tensors of some layers.
    public static long tensorCount(List<Layer> layers) {
        return layers.stream().mapToLong(layer -> layer.hasBias() ? 2 : 1).sum();
    }

    /// Kernel size: k for a k × k convolution, 1 for linear layers.
    public long kernelSize() {
        return weightShape.rank() == 4 ? weightShape.size(3) : 1;
    }

    /// Input channels, of all groups.
    public long inputChannels() {
        return weightShape.size(1) * groups;
    }

    /// Inputs of an output channel: Ci for linear layers, Ci / groups · k² for convolutions.
    public long fanIn() {
        return weightShape.elements() / weightShape.size(0);
    }

    /// Whether it is a convolution or a linear layer.
    public boolean isProjection() {
        return switch (kind) {
            case CONV, LINEAR -> true;
            case NORM, EMBEDDING, SCALE, BUFFER -> false;
        };
    }
}
