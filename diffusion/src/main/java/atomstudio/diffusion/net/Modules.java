package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.LayerCall;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.util.Objects;

/// Layers by their state-dict name; weight shapes follow from the input and the output size.
record Modules<T>(Component component, Ops<T> ops, WeightSource<T> weights) {
    T conv(String name, T x, long outChannels, int kernelSize) {
        return conv(name, x, outChannels, kernelSize, Ops.ConvGeometry.same(kernelSize));
    }

    T conv(String name, T x, long outChannels, int kernelSize, Ops.ConvGeometry geometry) {
        return ops.conv2d(x, weights.get(convolution(name, channels(x), Bias.PRESENT,
                new Kernel(outChannels, kernelSize, geometry.groups()))), geometry);
    }

    /// A 3×3 convolution without bias that keeps the size.
    T convWithoutBias(String name, T x, long outChannels) {
        return convWithoutBias(name, x, outChannels, 3, Ops.ConvGeometry.same(3));
    }

    T convWithoutBias(String name, T x, long outChannels, int kernelSize, Ops.ConvGeometry geometry) {
        return ops.conv2d(x, weights.get(convolution(name, channels(x), Bias.ABSENT,
                new Kernel(outChannels, kernelSize, geometry.groups()))), geometry);
    }

    private record Kernel(long outChannels, int size, int groups) {}

    private Layer convolution(String name, long inChannels, Bias bias, Kernel kernel) {
        Shape weight = Shape.of(kernel.outChannels, inChannels / kernel.groups, kernel.size, kernel.size);
        return new Layer(component, name, Kind.CONV, weight, bias, kernel.groups);
    }

    T linear(String name, T x, long outFeatures) {
        return linear(name, x, outFeatures, Bias.PRESENT);
    }

    T linear(String name, T x, long outFeatures, Bias bias) {
        return linear(linearLayer(name, x, outFeatures, bias), x, x);
    }

    /// The last layer of a sublayer of a transformer.
    T sublayerOutput(String name, T x, long outFeatures, T sublayerInput) {
        return linear(linearLayer(name, x, outFeatures, Bias.PRESENT), x, sublayerInput);
    }

    private Layer linearLayer(String name, T x, long outFeatures, Bias bias) {
        return new Layer(component, name, Kind.LINEAR, Shape.of(outFeatures, ops.shape(x).size(-1)), bias);
    }

    private T linear(Layer layer, T x, T sublayerInput) {
        T y = ops.linear(x, weights.get(layer));
        return weights.branch(new LayerCall<>(layer, sublayerInput, x, y))
                .map(branch -> ops.add(y, branch))
                .orElse(y);
    }

    T groupNorm(String name, T x, int groups, double epsilon) {
        return ops.groupNorm(x, norm(name, channels(x)), groups, epsilon);
    }

    /// With the running statistics of the checkpoint.
    T batchNorm(String name, T x, double epsilon) {
        return ops.batchNorm(x, norm(name, channels(x)), new Ops.BatchStatistics<>(
                vector(name + ".running_mean", Kind.BUFFER, channels(x)),
                vector(name + ".running_var", Kind.BUFFER, channels(x))), epsilon);
    }

    /// A layer with one value per channel.
    T vector(String name, Kind kind, long channels) {
        return weights.get(new Layer(component, name, kind, Shape.of(channels), Bias.ABSENT)).weight();
    }

    /// A token that is learned, repeated for each sample: (batch, 1, C).
    /// @param weight shape of the stored token
    T classToken(String name, Shape weight, long batch) {
        long channels = weight.size(-1);
        Layer layer = new Layer(component, name, Kind.EMBEDDING, weight, Bias.ABSENT);
        T token = ops.reshape(weights.get(layer).weight(), Shape.of(1, 1, channels));
        T tokens = token;
        for (long i = 1; i < batch; i++) tokens = ops.concat(tokens, token, 0);
        return tokens;
    }

    /// A norm with known statistics, on x (B, C, H, W).
    /// @param statistics the scale and shift (1, C, 1, 1) that normalize x, applied before the layer's weight and bias
    T affineNorm(String name, T x, LayerWeights<T> statistics) {
        LayerWeights<T> layer = norm(name, channels(x));
        Shape perChannel = Shape.of(1, channels(x), 1, 1);
        T normalized = ops.add(ops.multiply(x, statistics.weight()), Objects.requireNonNull(statistics.bias()));
        T scaled = ops.multiply(normalized, ops.reshape(layer.weight(), perChannel));
        return ops.add(scaled, ops.reshape(Objects.requireNonNull(layer.bias()), perChannel));
    }

    T layerNorm(String name, T x, double epsilon) {
        return ops.layerNorm(x, norm(name, ops.shape(x).size(-1)), epsilon);
    }

    /// An embedding table (rows, width).
    T embeddingTable(String name, long rows, long width) {
        return weights.get(new Layer(component, name, Kind.EMBEDDING, Shape.of(rows, width), Bias.ABSENT)).weight();
    }

    /// The residual input of a ResNet block: x, or a 1×1 convolution if the number of channels changes.
    T shortcut(String block, T x, long outChannels) {
        return channels(x) == outChannels ? x : conv(block + ".conv_shortcut", x, outChannels, 1);
    }

    /// (B, C, H, W) -> (B, H·W, C).
    T toTokens(T x) {
        Shape shape = ops.shape(x);
        return ops.reshape(ops.permute(x, 0, 2, 3, 1),
                Shape.of(shape.size(0), shape.size(2) * shape.size(3), shape.size(1)));
    }

    /// The inverse of [#toTokens].
    /// @param shape (B, C, H, W)
    T toFeatureMap(T tokens, Shape shape) {
        Shape channelsLast = Shape.of(shape.size(0), shape.size(2), shape.size(3), shape.size(1));
        return ops.permute(ops.reshape(tokens, channelsLast), 0, 3, 1, 2);
    }

    long channels(T x) {
        return ops.shape(x).size(1);
    }

    private LayerWeights<T> norm(String name, long channels) {
        return weights.get(new Layer(component, name, Kind.NORM, Shape.of(channels), Bias.PRESENT));
    }
}
