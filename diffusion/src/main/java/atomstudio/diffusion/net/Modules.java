package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;

/// The layers that every network here is made of, asked for by name with the shape that follows from the input.
record Modules<T>(Ops<T> ops, WeightSource<T> weights) {
    T conv(String name, T x, long outChannels, int kernelSize) {
        return conv(name, x, outChannels, kernelSize, Ops.ConvGeometry.same(kernelSize));
    }

    T conv(String name, T x, long outChannels, int kernelSize, Ops.ConvGeometry geometry) {
        Shape weight = Shape.of(outChannels, channels(x), kernelSize, kernelSize);
        return ops.conv2d(x, weights.get(new Layer(name, Kind.CONV, weight, Bias.PRESENT)), geometry);
    }

    /// A 3×3 convolution of the same size without a bias.
    T convWithoutBias(String name, T x, long outChannels) {
        Shape weight = Shape.of(outChannels, channels(x), 3, 3);
        return ops.conv2d(x, weights.get(new Layer(name, Kind.CONV, weight, Bias.ABSENT)), Ops.ConvGeometry.same(3));
    }

    T linear(String name, T x, long outFeatures) {
        return linear(name, x, outFeatures, Bias.PRESENT);
    }

    T linear(String name, T x, long outFeatures, Bias bias) {
        return ops.linear(x,
                weights.get(new Layer(name, Kind.LINEAR, Shape.of(outFeatures, ops.shape(x).size(-1)), bias)));
    }

    T groupNorm(String name, T x, int groups, double epsilon) {
        return ops.groupNorm(x, norm(name, channels(x)), groups, epsilon);
    }

    T layerNorm(String name, T x, double epsilon) {
        return ops.layerNorm(x, norm(name, ops.shape(x).size(-1)), epsilon);
    }

    /// A table of embeddings, (rows, width).
    T embeddingTable(String name, long rows, long width) {
        return weights.get(new Layer(name, Kind.EMBEDDING, Shape.of(rows, width), Bias.ABSENT)).weight();
    }

    long channels(T x) {
        return ops.shape(x).size(1);
    }

    private LayerWeights<T> norm(String name, long channels) {
        return weights.get(new Layer(name, Kind.NORM, Shape.of(channels), Bias.PRESENT));
    }
}
