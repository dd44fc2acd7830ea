package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// A sampler and the schedule made for it: all that a model's config and a number of steps decide.
public record Plan(Sampler sampler, Schedule schedule) {
    /// @param noise standard normal (B, C, H, W)
    public Sampled run(Denoiser denoiser, Tensor noise, NoiseSource random, StepListener listener) throws Failure {
        return sampler.sample(denoiser, noise, schedule, random, listener);
    }
}
