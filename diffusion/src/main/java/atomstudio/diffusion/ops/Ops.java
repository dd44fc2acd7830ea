package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// Tensor operations that networks and tuning methods are written in. They are at the level of layers, so that each
/// backend picks its kernels. `T` is the backend's tensor: a shape, a native array (eager) or a value of an ONNX graph.
/// Shapes below: B batch, C channels, H × W pixels, S tokens. `add` and `multiply` broadcast like NumPy.
public interface Ops<T> {
    Shape shape(T x);

    T add(T a, T b);

    T multiply(T a, T b);

    T scale(T x, double factor);

    /// Matrix product over the last two axes: (..., N, K) · (..., K, M) -> (..., N, M); leading axes are equal.
    T matmul(T a, T b);

    /// (B, Ci, H, W) -> (B, Co, H', W') with W (Co, Ci / groups, k, k).
    T conv2d(T x, LayerWeights<T> layer, ConvGeometry geometry);

    /// (..., Ci) -> (..., Co): x · Wᵀ + b with W (Co, Ci).
    T linear(T x, LayerWeights<T> layer);

    /// Normalizes (B, C, ...) over groups of channels; the layer must have a bias.
    T groupNorm(T x, LayerWeights<T> layer, int groups, double epsilon);

    /// Normalizes the last axis; the layer must have a bias.
    T layerNorm(T x, LayerWeights<T> layer, double epsilon);

    /// Batch norm of x (B, C, H, W) as in inference: by fixed statistics, not the batch's. The layer must have a bias.
    T batchNorm(T x, LayerWeights<T> layer, BatchStatistics<T> statistics, double epsilon);

    /// The largest value of each window, (B, C, H, W) -> (B, C, H', W'). Padding is never the largest.
    T maxPool(T x, PoolWindow window);

    /// The mean over the pixels, (B, C, H, W) -> (B, C).
    T globalAveragePool(T x);

    T silu(T x);

    /// The exact GELU, x · Φ(x).
    T gelu(T x);

    /// x · sigmoid(1.702 x), used by OpenAI's CLIP models.
    T quickGelu(T x);

    /// max(x, 0).
    T relu(T x);

    T tanh(T x);

    /// Multi-head attention softmax(q kᵀ / √d) v: q (B, S, C), k and v (B, S', C) -> (B, S, C), heads split from C.
    T attention(T q, T k, T v, AttentionConfig config);

    /// Rows of a table (N, C) by integer ids (B, S) -> (B, S, C).
    T embedding(T table, T ids);

    /// (B, C, h, w) -> (B, C, height, width): row y is row floor(y · h / height), columns alike.
    T upsampleNearest(T x, long height, long width);

    T concat(T a, T b, int axis);

    /// Splits into equal parts along an axis.
    List<T> split(T x, int parts, int axis);

    T reshape(T x, Shape to);

    T permute(T x, int... axes);

    /// A constant without gradient.
    T constant(Tensor values);

    /// Skew-symmetric matrices from their strict upper triangles, row-major: (N, n(n−1)/2) -> (N, n, n).
    T skewSymmetric(T upperTriangle, int side);

    /// Inverses of square matrices (N, n, n), with n up to a few hundred, whose symmetric part is positive definite, so
    /// that no pivot is zero: I − Q with Q skew-symmetric.
    T inverse(T x);

    /// The reciprocal L2 norm of every row, (N, K) -> (N, 1), without gradient.
    T reciprocalRowNorms(T x);

    /// Runs `body`; a training backend may drop its activations and recompute them (gradient checkpointing).
    default T checkpointed(String name, List<T> inputs, Function<List<T>, T> body) {
        return body.apply(inputs);
    }

    /// Runs `body`; what it has made but its result may be freed if no gradient follows.
    default T freeingTemporaries(Supplier<T> body) {
        return body.get();
    }

    /// Number of heads, and the attention mask.
    record AttentionConfig(int heads, Mask mask) {
        public enum Mask { NONE, CAUSAL }

        public static AttentionConfig of(int heads) {
            return new AttentionConfig(heads, Mask.NONE);
        }
    }

    /// The running mean and variance of a batch norm, of shape (C) each.
    record BatchStatistics<T>(T mean, T variance) {}

    /// A square pooling window, its stride, and the padding of each side.
    record PoolWindow(int size, int stride, int padding) {
        long outputSize(long inputSize) {
            return (inputSize + 2L * padding - size) / stride + 1;
        }
    }

    /// Stride, zero padding and groups of a convolution; padding is per side, since the autoencoder's downsampling pads
    /// only right and bottom. Output channels of a group see the input channels of that group alone; with as many
    /// groups as channels the convolution is depthwise.
    record ConvGeometry(int stride, int padTop, int padLeft, int padBottom, int padRight, int groups) {
        public ConvGeometry(int stride, int padTop, int padLeft, int padBottom, int padRight) {
            this(stride, padTop, padLeft, padBottom, padRight, 1);
        }

        public ConvGeometry withGroups(int groups) {
            return new ConvGeometry(stride, padTop, padLeft, padBottom, padRight, groups);
        }

        /// Whether all sides have the same padding.
        public boolean isSymmetric() { return padTop == padBottom && padLeft == padRight && padTop == padLeft; }

        /// Stride 1 and the padding with which an odd kernel keeps the size.
        public static ConvGeometry same(int kernelSize) {
            return new ConvGeometry(1, kernelSize / 2, kernelSize / 2, kernelSize / 2, kernelSize / 2);
        }

        public static ConvGeometry strided(int stride, int padding) {
            return new ConvGeometry(stride, padding, padding, padding, padding);
        }
    }
}
