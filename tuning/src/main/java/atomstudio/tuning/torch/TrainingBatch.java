package atomstudio.tuning.torch;

import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// A batch of training samples; the loss is the mean of weight · squared error.
/// @param noisyLatents    (B, C, H, W)
/// @param timesteps       (B)
/// @param target          of the prediction, (B, C, H, W)
/// @param lossWeights     per sample, (B, 1, 1, 1), or per latent pixel, (B, 1, H, W)
/// @param encoderFeatures cached features of the UNet encoder
public record TrainingBatch(Tensor noisyLatents, float[] timesteps, BatchConditioning conditioning, Tensor target,
        Tensor lossWeights, Optional<UNet.EncoderFeatures<Tensor>> encoderFeatures) {
    public TrainingBatch(Tensor noisyLatents, float[] timesteps, BatchConditioning conditioning, Tensor target,
            Tensor lossWeights) {
        this(noisyLatents, timesteps, conditioning, target, lossWeights, Optional.empty());
    }

    public TrainingBatch with(UNet.EncoderFeatures<Tensor> encoderFeatures) {
        return new TrainingBatch(noisyLatents, timesteps, conditioning, target, lossWeights,
                Optional.of(encoderFeatures));
    }

    public TrainingBatch with(Tensor lossWeights) {
        return new TrainingBatch(noisyLatents, timesteps, conditioning, target, lossWeights, encoderFeatures);
    }
}
