package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The inputs of one sampling run besides its plan.
///
/// @param x the first latents (B, C, H, W), as [SamplingPlan#initialLatents] makes them
/// @param noiseSource for samplers that add noise, after the initial noise was drawn
/// @param callback may edit the latents after every step
public record SamplingRun(Denoiser denoiser, Tensor x, NoiseSource noiseSource, StepListener listener,
        LatentCallback callback) {
    /// Without listener and callback.
    public static SamplingRun of(Denoiser denoiser, Tensor x, NoiseSource noiseSource) {
        return new SamplingRun(denoiser, x, noiseSource, StepListener.none(), LatentCallback.none());
    }

    public SamplingRun withListener(StepListener newListener) {
        return new SamplingRun(denoiser, x, noiseSource, newListener, callback);
    }

    public SamplingRun withCallback(LatentCallback newCallback) {
        return new SamplingRun(denoiser, x, noiseSource, listener, newCallback);
    }

    /// Runs the network on noisy latents at a timestep; guidance, prompts and adapters are inside.
    @FunctionalInterface
    public interface Denoiser {
        /// @param scaledLatents (B, C, H, W), always alpha · x0 + sigma · noise, in either parameterization
        /// @param timestep training timestep, possibly fractional
        /// @return the network's output (B, C, H, W), interpreted by the plan's [PredictionType]
        Tensor predict(Tensor scaledLatents, double timestep) throws Failure;
    }

    /// Edits the latents between steps, as diffusers' `callback_on_step_end`; inpainting restores the known region
    /// with it.
    @FunctionalInterface
    public interface LatentCallback {
        /// @param step the completed step; the latents have the noise level of its `to`
        /// @param x (B, C, H, W) in the plan's parameterization; must not be modified
        Tensor onStepEnd(SamplingPlan.Step step, Tensor x);

        /// The same inside a step, before the second network call.
        /// @param level the noise level of inserted latents
        /// @param x (B, C, H, W) in the plan's parameterization; must not be modified
        default Tensor onMidStep(NoiseLevel level, Tensor x) {
            return x;
        }

        static LatentCallback none() {
            return (step, x) -> x;
        }
    }
}
