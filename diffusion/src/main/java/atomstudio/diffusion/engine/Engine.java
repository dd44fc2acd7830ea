package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs the networks of one model. Calls from one thread at a time; closing frees everything native.
public interface Engine extends AutoCloseable {
    /// Token ids (B,S) -> the text encoder's hidden state (B,S,C) after one of its last blocks, and after its final
    /// norm. Rows that adapters append to its table have the ids after the vocabulary's, in the adapters' order.
    /// @param clipSkip after which block, counted from the end: 1 is the last, at most as many as there are
    Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure;

    /// What the UNet says of latents (B,C,H,W) at the pictures' timesteps (B) under the context (B,S,C).
    Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure;

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

    /// Token ids (B,S) -> the texts' embeddings (B,P) in the space that CLIP shares with pictures, of any length. No
    /// adapter has a part in it.
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

    /// From now on computes the UNet's attention in slices, which takes less memory and more time; false where that
    /// is so already, or this engine's attention never holds more than a slice anyway.
    default boolean enableAttentionSlicing() {
        return false;
    }

    @Override
    void close();

    /// What the autoencoder says of a picture: mean and log variance of its latents, (B,4,H/8,W/8), the latter within
    /// -30..20.
    record LatentDistribution(Tensor mean, Tensor logVariance) {
        /// Latents of the distribution, mean + exp(½ log variance) · noise, not multiplied by the scaling factor.
        public Tensor sample(NoiseSource noiseSource) {
            Tensor noise = noiseSource.draw(mean.shape());
            Tensor sample = Tensor.zeros(mean.shape());
            for (int i = 0; i < sample.data().length; i++) {
                sample.data()[i] = mean.data()[i] + (float) Math.exp(0.5f * logVariance.data()[i]) * noise.data()[i];
            }
            return sample;
        }

        /// From the encoder's output (B,8,h,w): means, then log variances, clamped here.
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
