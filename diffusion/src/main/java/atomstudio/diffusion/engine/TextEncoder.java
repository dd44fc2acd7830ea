package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs a model's text encoder.
@FunctionalInterface
public interface TextEncoder extends EngineNetwork {
    /// Token ids (B, S) -> the hidden state (B, S, C) after one of the last blocks and the final norm. Embeddings that
    /// adapters append to the token table have the ids after the vocabulary's, in the adapters' order.
    /// @param clipSkip the block, counted from the end: 1 is the last
    Tensor encode(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure;
}
