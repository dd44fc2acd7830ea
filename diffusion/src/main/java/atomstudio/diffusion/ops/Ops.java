package atomstudio.diffusion.ops;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.function.Function;

/// Tensor algebra the networks and tuning methods are written in, at the level of layers, so that each carrier picks
/// its kernel. `T` is the carrier's tensor: a shape (dry run), a native array (eager), a value of a graph (ONNX).
/// Shapes below: B batch, C channels, H x W latent pixels, S tokens. `add` and `multiply` broadcast as NumPy does.
public interface Ops<T> {
    Shape shape(T x);

    T add(T a, T b);

    T multiply(T a, T b);

    T scale(T x, double factor);

    /// Matrix product over the last two axes: (...,N,K) · (...,K,M) -> (...,N,M); leading axes equal.
    T matmul(T a, T b);

    /// (B,Ci,H,W) -> (B,Co,H',W').
    T conv2d(T x, LayerWeights<T> layer, ConvGeometry geometry);

    /// (...,Ci) -> (...,Co): x · Wᵀ + b, W (Co,Ci).
    T linear(T x, LayerWeights<T> layer);

    /// Normalizes (B,C,...) over groups of channels; the layer must have a bias.
    T groupNorm(T x, LayerWeights<T> layer, int groups, double epsilon);

    /// Normalizes the last axis; the layer must have a bias.
    T layerNorm(T x, LayerWeights<T> layer, double epsilon);

    T silu(T x);

    /// The exact form, x · Φ(x).
    T gelu(T x);

    /// x · sigmoid(1.702 x), as CLIP's first text encoders have it.
    T quickGelu(T x);

    /// max(x, 0).
    T relu(T x);

    T tanh(T x);

    /// softmax(q kᵀ / √d) v for every head: q (B,S,C), k and v (B,S',C) -> (B,S,C), heads cut from C.
    T attention(T q, T k, T v, AttentionConfig config);

    /// Rows of a table (N,C) by integer ids (B,S) -> (B,S,C).
    T embedding(T table, T ids);

    /// (B,C,h,w) -> (B,C,height,width): pixel y reads floor(y · h / height).
    T upsampleNearest(T x, long height, long width);

    T concat(T a, T b, int axis);

    /// Equal parts along an axis.
    List<T> split(T x, int parts, int axis);

    T reshape(T x, Shape to);

    T permute(T x, int... axes);

    /// Numbers that are always the same; nothing is differentiated by them.
    T constant(Tensor values);

    /// Skew matrices of the numbers above their diagonals, row by row: (N,n(n−1)/2) -> (N,n,n).
    T skewSymmetric(T upperTriangle, int side);

    /// Inverses of square matrices (N,n,n), a few hundred wide at most, whose symmetric part is positive definite, so
    /// that no pivot vanishes: I − Q with Q skew.
    T inverse(T x);

    /// One over the length of every row, (N,K) -> (N,1); nothing is differentiated through it.
    T reciprocalRowNorms(T x);

    /// Runs body; a training carrier may drop its activations and recompute them (gradient checkpointing).
    default T checkpointed(String name, List<T> inputs, Function<List<T>, T> body) {
        return body.apply(inputs);
    }

    /// How many heads the channels are cut into, and which tokens a token may see.
    record AttentionConfig(int heads, Mask mask) {
        public enum Mask { NONE, CAUSAL }

        public static AttentionConfig of(int heads) {
            return new AttentionConfig(heads, Mask.NONE);
        }
    }

    /// Stride and zero padding of a convolution, each side by itself: the autoencoder's downsampling pads right and
    /// bottom only.
    record ConvGeometry(int stride, int padTop, int padLeft, int padBottom, int padRight) {
        /// Stride 1, padded so that an odd kernel keeps the size.
        public static ConvGeometry same(int kernelSize) {
            return new ConvGeometry(1, kernelSize / 2, kernelSize / 2, kernelSize / 2, kernelSize / 2);
        }

        public static ConvGeometry strided(int stride, int padding) {
            return new ConvGeometry(stride, padding, padding, padding, padding);
        }
    }
}
