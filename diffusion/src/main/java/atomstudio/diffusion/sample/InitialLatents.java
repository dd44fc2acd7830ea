package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What a walk starts from. Tensors are (B, C, H, W), noise is standard normal.
public sealed interface InitialLatents {
    /// Nothing but noise.
    record PureNoise(Tensor noise) implements InitialLatents {}

    /// Latents of a picture, multiplied by the autoencoder's scaling factor, under as much noise as the first step begins with.
    /// Source: Meng et al. 2022, "SDEdit", algorithm 1.
    record NoisedImage(Tensor latents, Tensor noise) implements InitialLatents {}

    static InitialLatents pureNoise(Tensor standardNormal) {
        return new PureNoise(standardNormal);
    }

    static InitialLatents noisedImage(Tensor latents, Tensor standardNormal) {
        return new NoisedImage(latents, standardNormal);
    }

    /// The first latents, in the schedule's own space.
    default Tensor prepare(Schedule schedule) {
        return switch (this) {
            case PureNoise(Tensor noise) -> LatentMath.scale(schedule.initNoiseSigma(), noise);
            case NoisedImage(Tensor latents, Tensor noise) -> schedule.parameterization().addNoise(latents, noise, schedule.steps().getFirst().from());
        };
    }
}
