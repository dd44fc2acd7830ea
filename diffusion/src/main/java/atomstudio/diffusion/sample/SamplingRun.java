package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// All that a plan is run with.
///
/// @param noiseSource where samplers that add noise on their way draw it, after the first latents were drawn
/// @param callback may edit the latents after every step
public record SamplingRun(Denoiser denoiser, InitialLatents initialLatents, NoiseSource noiseSource,
        StepListener listener, LatentCallback callback) {
    /// From nothing but noise, unheard and unedited.
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

    /// What a walk starts from. Tensors are (B, C, H, W), noise is standard normal.
    public sealed interface InitialLatents {
        /// Nothing but noise.
        record PureNoise(Tensor noise) implements InitialLatents {}

        /// Latents of a picture, multiplied by the autoencoder's scaling factor, under as much noise as the first
        /// step begins with.
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
                case NoisedImage(Tensor latents, Tensor noise) ->
                        schedule.parameterization().addNoise(latents, noise, schedule.steps().getFirst().from());
            };
        }
    }

    /// Edits the latents between steps: a picture's kept part is put back with it.
    @FunctionalInterface
    public interface LatentCallback {
        /// @param step the step just done; the latents stand at its `to`
        /// @param x (B, C, H, W) in the schedule's own space; not to be changed
        Tensor onStepEnd(Schedule.Step step, Tensor x);

        /// The same inside a step, before the network is called a second time.
        /// @param level how noisy what is put back is to be
        /// @param x (B, C, H, W) in the schedule's own space; not to be changed
        default Tensor onMidStep(NoiseLevel level, Tensor x) {
            return x;
        }

        static LatentCallback none() {
            return (step, x) -> x;
        }
    }
}
