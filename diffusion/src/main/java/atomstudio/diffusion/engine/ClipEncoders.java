package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Runs a model's CLIP image and text encoders, as far as it has them, for metrics.
public interface ClipEncoders extends EngineNetwork {
    /// Images (B, 3, S, S), preprocessed for the model's image encoder -> CLIP embeddings (B, P), not normalized.
    /// @throws Failure.Incompatible if the model has no image encoder
    Tensor embedImages(Tensor images) throws Failure;

    /// Token ids (B, S) -> CLIP text embeddings (B, P), not normalized, without adapters.
    /// @throws Failure.Incompatible if the model's text encoder has no projection
    Tensor embedText(int[][] ids) throws Failure;
}
