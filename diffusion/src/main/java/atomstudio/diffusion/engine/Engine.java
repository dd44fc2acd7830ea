package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs the networks of one model. Not thread-safe; closing frees all native memory.
public interface Engine extends AutoCloseable {
    /// Token ids (B, S) -> the text encoder's hidden state (B, S, C) after one of its last blocks and the final norm.
    /// Embeddings that adapters append to the token table have the ids after the vocabulary's, in the adapters' order.
    /// @param clipSkip the block, counted from the end: 1 is the last
    Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure;

    /// The UNet's output (B, C, H, W) for latents (B, C, H, W), timesteps (B) and context (B, S, C).
    Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure;

    /// Latents divided by the scaling factor -> (B, 3, 8H, 8W), about -1..1.
    Tensor decode(Tensor latents) throws Failure;

    /// The decoder up to level `levels`, for tiled decoding: latents as above -> the input of that level.
    Tensor decodeHead(Tensor latents, int levels) throws Failure;

    /// One level of the decoder on a tile: [atomstudio.diffusion.net.Vae#decodeTile].
    Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure;

    /// Images (B, 3, H, W) in -1..1 -> the distribution of their latents, not multiplied by the scaling factor.
    LatentDistribution encode(Tensor images) throws Failure;

    /// Images (B, 3, S, S), preprocessed for the model's image encoder -> CLIP embeddings (B, P), not normalized.
    /// @throws Failure.Incompatible if the model has no image encoder
    Tensor embedImages(Tensor images) throws Failure;

    /// Token ids (B, S) -> CLIP text embeddings (B, P), not normalized, without adapters.
    /// @throws Failure.Incompatible if the model's text encoder has no projection
    Tensor embedText(int[][] ids) throws Failure;

    /// Checks that the model's files are unchanged since the engine was opened; every call does so too.
    /// @throws Failure.Unreadable if one changed
    default void checkFiles() throws Failure.Unreadable {}

    /// 32 or 16 bits.
    enum ComputePrecision { FULL, HALF }

    default ComputePrecision precision() {
        return ComputePrecision.FULL;
    }

    /// Switches to full precision for good, after half precision overflowed.
    default void useFullPrecision() throws Failure {
        throw new IllegalStateException("this engine computes in full precision only");
    }

    /// Switches the UNet to sliced attention for good: less memory, more time. False if it is sliced already, or if the
    /// engine's attention never materializes the whole attention matrix.
    default boolean enableAttentionSlicing() {
        return false;
    }

    @Override
    void close();

    /// The distribution of an image's latents (diffusers' DiagonalGaussianDistribution): mean and log variance,
    /// (B, 4, H/8, W/8), the latter clamped to -30..20.
    record LatentDistribution(Tensor mean, Tensor logVariance) {
        /// mean + exp(½ log variance) · noise, not multiplied by the scaling factor.
        public Tensor sample(NoiseSource noiseSource) {
            Tensor noise = noiseSource.draw(mean.shape());
            Tensor sample = Tensor.zeros(mean.shape());
            for (int i = 0; i < sample.data().length; i++) {
                sample.data()[i] = mean.data()[i] + (float) Math.exp(0.5f * logVariance.data()[i]) * noise.data()[i];
            }
            return sample;
        }

        /// From the encoder's output (B, 8, h, w): means, then log variances.
        public static LatentDistribution ofEncoderOutput(Tensor encoderOutput) {
            int batch = Math.toIntExact(encoderOutput.shape().size(0));
            Shape half = encoderOutput.shape().with(1, encoderOutput.shape().size(1) / 2);
            int rowSize = Math.toIntExact(half.elements() / batch);
            Tensor mean = Tensor.zeros(half);
            Tensor logVariance = Tensor.zeros(half);
            for (int b = 0; b < batch; b++) {
                System.arraycopy(encoderOutput.data(), 2 * b * rowSize, mean.data(), b * rowSize, rowSize);
                for (int i = 0; i < rowSize; i++)
                    logVariance.data()[b * rowSize + i] = Math.clamp(encoderOutput.data()[(2 * b + 1) * rowSize + i],
                            -30f, 20f);
            }
            return new LatentDistribution(mean, logVariance);
        }
    }
}
