package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A backend with the derivatives of its operations. It records nothing: the [Tape] keeps what derivatives need and
/// calls them. `g` is the gradient with respect to an operation's result.
interface GradientOps<T> extends Ops<T> {
    enum Activation { SILU, GELU, QUICK_GELU, RELU, TANH }

    /// Group norm, or, without groups, layer norm.
    record Norm(int groups, double epsilon) {}

    /// A result, and what its derivative needs beside inputs and result.
    record Forward<T>(T result, List<T> statistics) {}

    /// The gradients of a layer; null where not wanted.
    /// @param weight of the weight, or of the kernel transform if the layer has one
    record LayerGradients<T>(@Nullable T input, @Nullable T weight, @Nullable T bias) {}

    /// Which gradients are wanted.
    record Wanted(boolean input, boolean weight, boolean bias) {}

    /// Sums over the axes that were broadcast from this shape; a view if there are none.
    T sumTo(T g, Shape shape);

    T activationGradient(Activation activation, T g, T x);

    Forward<T> normalize(T x, LayerWeights<T> layer, Norm norm);

    LayerGradients<T> normGradients(T g, T x, List<T> statistics, LayerWeights<T> layer, Norm norm, Wanted wanted);

    LayerGradients<T> batchNormGradients(T g, T x, LayerWeights<T> layer, BatchStatistics<T> statistics, double epsilon,
            Wanted wanted);

    /// The largest values, and where they are.
    Forward<T> pool(T x, PoolWindow window);

    T poolGradient(T g, T x, T indices, PoolWindow window);

    T averagePoolGradient(T g, Shape x);

    Forward<T> attend(T q, T k, T v, AttentionConfig config);

    /// By q, k and v.
    List<T> attentionGradients(T g, List<T> qkv, List<T> statistics, AttentionConfig config);

    /// Whether a kernel transform is faster without the effective weight; else the weight is computed.
    /// @param geometry null for a linear layer
    boolean appliesTransform(T x, LayerWeights<T> layer, @Nullable ConvGeometry geometry);

    /// @param x        null unless the weight's gradient is wanted
    /// @param geometry null for a linear layer
    LayerGradients<T> layerGradients(T g, @Nullable T x, Shape shape, LayerWeights<T> layer,
            @Nullable ConvGeometry geometry, Wanted wanted);

    /// To the dtype of activations, and back.
    T toActivationDtype(T x);

    T toFloat32(T x);

    T ids(int[][] ids);

    /// Mean of weight · squared difference, a scalar; weights are broadcast.
    T squaredError(T predicted, T target, T weights);

    T squaredErrorGradient(T predicted, T target, T weights);

    /// Mean over the rows of −Σ target · log softmax(logits), a scalar.
    T crossEntropy(T logits, T target);

    T crossEntropyGradient(T logits, T target);

    T embeddingGradient(T g, T ids, long rows);

    T upsampleGradient(T g, Shape x);

    /// Elements `from` to `to` along an axis.
    T slice(T x, int axis, long from, long to);

    T skewGradient(T g, int side);

    /// Frees what is created within, except the results, which move to the outer scope, and what is kept.
    void scoped(Supplier<List<T>> body);

    /// Another handle of the same array, in the current scope.
    T alias(T array);

    /// Takes an array out of the current scope.
    T keep(T array);

    void release(T array);

    /// Between two segments of a step.
    void segmentEnds();
}
