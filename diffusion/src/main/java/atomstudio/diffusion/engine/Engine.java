package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs the networks of one model. Calls from one thread at a time; closing frees everything native.
public interface Engine extends AutoCloseable {
    /// Token ids (B,S) -> the text encoder's hidden state (B,S,C) after one of its last blocks, and after its final norm. Rows that
    /// adapters append to its table have the ids after the vocabulary's, in the adapters' order.
    /// @param clipSkip after which block, counted from the end: 1 is the last, at most as many as there are
    Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure;

    /// What the UNet says of latents (B,C,H,W) at the pictures' timesteps (B) under the context (B,S,C).
    Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters) throws Failure;

    /// Latents, already divided by the scaling factor -> (B,3,8H,8W), about -1..1.
    Tensor decode(Tensor latents) throws Failure;

    /// The decoder's first half, for decoding in parts: latents as above -> what its level `levels` starts from.
    Tensor decodeHead(Tensor latents, int levels) throws Failure;

    /// One level of the decoder on a part of a map: [atomstudio.diffusion.net.Vae#decodeTile].
    Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure;

    /// Pictures (B,3,H,W) in -1..1 -> their latents' distribution, not multiplied by the scaling factor.
    LatentDistribution encode(Tensor images) throws Failure;

    /// Pictures (B,3,S,S), prepared as the model's vision tower wants them -> its embeddings (B,P), of any length.
    /// @throws Failure.Incompatible when the model has no vision tower
    Tensor embedImages(Tensor images) throws Failure;

    /// Token ids (B,S) -> the texts' embeddings (B,P) in the space that CLIP shares with pictures, of any length. No adapter has a part in it.
    /// @throws Failure.Incompatible when the model's text encoder has no projection
    Tensor embedText(int[][] ids) throws Failure;

    /// Looks whether the model's files are as they were when this engine was opened; every call does so by itself.
    /// @throws Failure.Unreadable when one changed
    default void checkFiles() throws Failure.Unreadable {}

    /// What the networks are computed in: 32 bits, or 16.
    enum ComputePrecision { FULL, HALF }

    default ComputePrecision precision() {
        return ComputePrecision.FULL;
    }

    /// From now on computes in full precision: what came out of half precision were no numbers.
    default void useFullPrecision() throws Failure {
        throw new IllegalStateException("this engine computes in full precision only");
    }

    /// From now on computes the UNet's attention in slices, which takes less memory and more time; false where that is so already, or
    /// this engine's attention never holds more than a slice anyway.
    default boolean enableAttentionSlicing() {
        return false;
    }

    @Override void close();
}
