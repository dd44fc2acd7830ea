package atomstudio.tuning.torch;

import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// Noisy latents (B,C,H,W) at their timesteps (B) under a conditioning, what the network should say of them (B,C,H,W), and how much
/// each picture counts, (B,1,1,1), or each of its latent pixels, (B,1,H,W): the loss is the mean of weight · squared difference.
/// @param lower what the network's lower part says of it, where that is known already
public record Batch(Tensor noisy, float[] timesteps, Conditioning conditioning, Tensor target, Tensor weights, Optional<UNet.EncoderFeatures<Tensor>> lower) {
    public Batch(Tensor noisy, float[] timesteps, Conditioning conditioning, Tensor target, Tensor weights) {
        this(noisy, timesteps, conditioning, target, weights, Optional.empty());
    }

    public Batch with(UNet.EncoderFeatures<Tensor> known) {
        return new Batch(noisy, timesteps, conditioning, target, weights, Optional.of(known));
    }

    public Batch with(Tensor otherWeights) {
        return new Batch(noisy, timesteps, conditioning, target, otherWeights, lower);
    }
}
