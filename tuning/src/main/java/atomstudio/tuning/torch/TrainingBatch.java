package atomstudio.tuning.torch;

import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// Noisy latents (B,C,H,W) at their timesteps (B) under a conditioning, what the network should say of them
/// (B,C,H,W), and how much each picture counts, (B,1,1,1), or each of its latent pixels, (B,1,H,W): the loss is the
/// mean of weight · squared difference.
/// @param encoderFeatures what the network's lower part says of it, where that is known already
public record TrainingBatch(Tensor noisyLatents, float[] timesteps, Conditioning conditioning, Tensor target,
        Tensor lossWeights, Optional<UNet.EncoderFeatures<Tensor>> encoderFeatures) {
    public TrainingBatch(Tensor noisyLatents, float[] timesteps, Conditioning conditioning, Tensor target,
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
