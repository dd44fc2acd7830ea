package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// The inputs of one sampling run besides its plan.
///
/// @param noiseSource for samplers that add noise, after the initial noise was drawn
/// @param callback may edit the latents after every step
public record SamplingRun(Denoiser denoiser, InitialLatents initialLatents, NoiseSource noiseSource,
        StepListener listener, LatentCallback callback) {
    /// From pure noise, without listener and callback.
    public static SamplingRun fromNoise(Denoiser denoiser, Tensor standardNormal, NoiseSource noiseSource) {
        return new SamplingRun(denoiser, InitialLatents.pureNoise(standardNormal), noiseSource, StepListener.none(),
                LatentCallback.none());
    }

    public SamplingRun withListener(StepListener newListener) {
        return new SamplingRun(denoiser, initialLatents, noiseSource, newListener, callback);
    }

    public SamplingRun withCallback(LatentCallback newCallback) {
        return new SamplingRun(denoiser, initialLatents, noiseSource, listener, newCallback);
    }

    /// What sampling starts from. Tensors are (B, C, H, W), noise is standard normal.
    public sealed interface InitialLatents {
        record PureNoise(Tensor noise) implements InitialLatents {}

        /// An image's latents, multiplied by the autoencoder's scaling factor, noised to the first step's level.
        /// Source: Meng et al. 2022, "SDEdit", algorithm 1.
        record NoisedImage(Tensor latents, Tensor noise) implements InitialLatents {}

        static InitialLatents pureNoise(Tensor standardNormal) {
            return new PureNoise(standardNormal);
        }

        static InitialLatents noisedImage(Tensor latents, Tensor standardNormal) {
            return new NoisedImage(latents, standardNormal);
        }

        /// The first latents, in the schedule's parameterization.
        default Tensor prepare(Schedule schedule) {
            return switch (this) {
                case PureNoise(Tensor noise) -> noise.scaled(schedule.initNoiseSigma());
                case NoisedImage(Tensor latents, Tensor noise) -> {
                    NoiseLevel level = schedule.steps().getFirst().from();
                    yield schedule.parameterization().addNoise(latents, noise, level);
                }
            };
        }
    }

    /// Edits the latents between steps, as diffusers' `callback_on_step_end`; inpainting restores the known region
    /// with it.
    @FunctionalInterface
    public interface LatentCallback {
        /// @param step the completed step; the latents have the noise level of its `to`
        /// @param x (B, C, H, W) in the schedule's parameterization; must not be modified
        Tensor onStepEnd(Schedule.Step step, Tensor x);

        /// The same inside a step, before the second network call.
        /// @param level the noise level of inserted latents
        /// @param x (B, C, H, W) in the schedule's parameterization; must not be modified
        default Tensor onMidStep(NoiseLevel level, Tensor x) {
            return x;
        }

        static LatentCallback none() {
            return (step, x) -> x;
        }
    }
}
