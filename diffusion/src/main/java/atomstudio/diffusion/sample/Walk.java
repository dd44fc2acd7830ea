package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// All that a plan is run with.
///
/// @param random where samplers that add noise on their way draw it, after the first latents were drawn
/// @param between may edit the latents after every step
public record Walk(Denoiser denoiser, Start start, NoiseSource random, StepListener listener, Between between) {
    /// From nothing but noise, unheard and unedited.
    public static Walk fromNoise(Denoiser denoiser, Tensor standardNormal, NoiseSource random) {
        return new Walk(denoiser, Start.noise(standardNormal), random, StepListener.none(), Between.nothing());
    }

    public Walk heardBy(StepListener other) {
        return new Walk(denoiser, start, random, other, between);
    }

    public Walk edited(Between other) {
        return new Walk(denoiser, start, random, listener, other);
    }
}
