package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What a walk starts from. Tensors are (B, C, H, W), noise is standard normal.
public sealed interface Start {
    /// Nothing but noise.
    record Noise(Tensor noise) implements Start {}

    /// Latents of a picture, multiplied by the autoencoder's scaling factor, under as much noise as the first step begins with.
    /// Source: Meng et al. 2022, "SDEdit", algorithm 1.
    record Picture(Tensor clean, Tensor noise) implements Start {}

    static Start noise(Tensor standardNormal) {
        return new Noise(standardNormal);
    }

    static Start of(Tensor clean, Tensor standardNormal) {
        return new Picture(clean, standardNormal);
    }

    /// The first latents, in the schedule's own space.
    default Tensor first(Schedule schedule) {
        return switch (this) {
            case Noise(Tensor noise) -> Latents.scale(schedule.initialScale(), noise);
            case Picture(Tensor clean, Tensor noise) -> schedule.space().noised(clean, noise, schedule.steps().getFirst().from());
        };
    }
}
