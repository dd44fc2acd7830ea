package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.Ops;
import atomstudio.diffusion.tensor.Tensor;

/// Operations of a training step beside those of networks: inputs and losses. Losses are scalars in float32.
public interface LossOps<T> extends Ops<T> {
    /// Values without gradient, in the dtype of activations.
    T input(Tensor values);

    /// Token ids (B, S).
    T input(int[][] ids);

    /// A float32 value in the dtype of activations.
    T toActivationDtype(T x);

    /// Mean of weight · squared difference; weights are broadcast.
    T squaredError(T predicted, Tensor target, Tensor weights);

    /// Mean over the samples of −Σ target · log softmax(logits), of logits and target probabilities (B, classes).
    T crossEntropy(T logits, Tensor target);
}
