package atomstudio.diffusion.net;

import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.ops.Conv2d;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.Layer.Bias;
import atomstudio.diffusion.ops.Layer.Kind;
import atomstudio.diffusion.ops.Layers;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;

/// The layers that every network here is made of, asked for by name with the shape that follows from the input.
record Parts<T>(Ops<T> ops, Layers<T> layers) {
    T conv(String name, T x, long out, int kernel) {
        return conv(name, x, out, kernel, Conv2d.same(kernel));
    }

    T conv(String name, T x, long out, int kernel, Conv2d geometry) {
        Shape weight = Shape.of(out, channels(x), kernel, kernel);
        return ops.conv2d(x, layers.get(new Layer(name, Kind.CONV, weight, Bias.PRESENT)), geometry);
    }

    /// A 3×3 convolution of the same size without a bias.
    T unbiased(String name, T x, long out) {
        Shape weight = Shape.of(out, channels(x), 3, 3);
        return ops.conv2d(x, layers.get(new Layer(name, Kind.CONV, weight, Bias.ABSENT)), Conv2d.same(3));
    }

    T linear(String name, T x, long out) {
        return linear(name, x, out, Bias.PRESENT);
    }

    T linear(String name, T x, long out, Bias bias) {
        return ops.linear(x, layers.get(new Layer(name, Kind.LINEAR, Shape.of(out, ops.shape(x).size(-1)), bias)));
    }

    T groupNorm(String name, T x, int groups, double epsilon) {
        return ops.groupNorm(x, norm(name, channels(x)), groups, epsilon);
    }

    T layerNorm(String name, T x, double epsilon) {
        return ops.layerNorm(x, norm(name, ops.shape(x).size(-1)), epsilon);
    }

    /// A table of embeddings, (rows, width).
    T table(String name, long rows, long width) {
        return layers.get(new Layer(name, Kind.EMBEDDING, Shape.of(rows, width), Bias.ABSENT)).weight();
    }

    long channels(T x) {
        return ops.shape(x).size(1);
    }

    private Affine<T> norm(String name, long channels) {
        return layers.get(new Layer(name, Kind.NORM, Shape.of(channels), Bias.PRESENT));
    }
}
