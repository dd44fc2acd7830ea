package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// All that a plan is run with.
///
/// @param noiseSource where samplers that add noise on their way draw it, after the first latents were drawn
/// @param callback may edit the latents after every step
public record SamplingRun(Denoiser denoiser, InitialLatents initialLatents, NoiseSource noiseSource, StepListener listener, LatentCallback callback) {
    /// From nothing but noise, unheard and unedited.
    public static SamplingRun fromNoise(Denoiser denoiser, Tensor standardNormal, NoiseSource noiseSource) {
        return new SamplingRun(denoiser, InitialLatents.pureNoise(standardNormal), noiseSource, StepListener.none(), LatentCallback.none());
    }

    public SamplingRun withListener(StepListener newListener) {
        return new SamplingRun(denoiser, initialLatents, noiseSource, newListener, callback);
    }

    public SamplingRun withCallback(LatentCallback newCallback) {
        return new SamplingRun(denoiser, initialLatents, noiseSource, listener, newCallback);
    }
}
