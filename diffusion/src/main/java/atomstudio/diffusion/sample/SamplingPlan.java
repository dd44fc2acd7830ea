package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.Sampler.ModelOutput;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A sampler and its steps: everything that follows from a model's config and the user's settings.
///
/// @param steps in order
/// @param parameterization of the sampler's latents
/// @param initNoiseSigma factor on standard normal noise for the first latents
/// @param predictionType the meaning of the network's output
/// @param sigmaToTimestep for noise levels between the steps'
public record SamplingPlan(Sampler sampler, List<Step> steps, Parameterization parameterization, double initNoiseSigma,
        PredictionType predictionType, SigmaToTimestep sigmaToTimestep) {
    /// Longest history that any sampler needs.
    private static final int MAX_HISTORY = 3;

    public SamplingPlan {
        if (steps.isEmpty()) throw new IllegalArgumentException("plan: expected at least one step, found none");
        steps = List.copyOf(steps);
    }

    /// One step: the timestep given to the network, the noise level at the start, and the one at the end.
    public record Step(double timestep, NoiseLevel from, NoiseLevel to) {}

    /// The scale of a sampler's latents. The network's input is alpha · x0 + sigma · noise in both.
    public enum Parameterization {
        /// x0 + σ · noise, σ = sigma / alpha: Karras et al. 2022.
        VARIANCE_EXPLODING,
        /// alpha · x0 + sigma · noise: Ho et al. 2020.
        VARIANCE_PRESERVING;

        /// Clean latents (B, C, H, W) with standard normal noise of the same shape, at a noise level.
        public Tensor addNoise(Tensor original, Tensor noise, NoiseLevel level) {
            return switch (this) {
                case VARIANCE_EXPLODING -> Tensor.add(original, level.sigma(), noise);
                case VARIANCE_PRESERVING -> Tensor.weightedSum(level.alphaT(), original, level.sigmaT(), noise);
            };
        }

        /// The network's input for latents in this parameterization.
        Tensor scaleModelInput(Tensor x, NoiseLevel level) {
            return switch (this) {
                case VARIANCE_EXPLODING -> x.scaled(level.alphaT());
                case VARIANCE_PRESERVING -> x;
            };
        }
    }

    /// Maps a noise level to the timestep given to the network.
    @FunctionalInterface
    public interface SigmaToTimestep {
        /// @param sigma sigma / alpha, above 0
        /// @return training timestep, possibly fractional
        double timestep(double sigma);
    }

    /// The sampling loop: step, callback, listener.
    /// @return clean latents (B, C, H, W), still multiplied by the autoencoder's scaling factor; empty if the listener
    ///     stopped sampling
    public Optional<Tensor> run(SamplingRun run) throws Failure {
        Tensor x = run.x();
        List<ModelOutput> history = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            Sampler.StepResult result = sampler.step(new StepContext(this, run, i, x, List.copyOf(history)));
            x = run.callback().onStepEnd(steps.get(i), result.x());
            history.addFirst(result.output());
            if (history.size() > MAX_HISTORY) history.removeLast();
            StepListener.SamplingProgress progress = new StepListener.SamplingProgress(i + 1, x,
                    result.output().denoised());
            if (run.listener().onStep(progress) == StepListener.Next.STOP) return Optional.empty();
        }
        return Optional.of(x);
    }

    /// The first latents, from standard normal noise (B, C, H, W).
    public Tensor initialLatents(Tensor noise) {
        return noise.scaled(initNoiseSigma);
    }

    /// The first latents, from an image's, multiplied by the autoencoder's scaling factor.
    /// Source: Meng et al. 2022, "SDEdit", algorithm 1.
    public Tensor initialLatents(Tensor image, Tensor noise) {
        return parameterization.addNoise(image, noise, steps.getFirst().from());
    }

    /// Only the last steps, as img2img runs them. Multistep samplers start there without history.
    /// @param count 1 to the number of steps
    public SamplingPlan lastSteps(int count) {
        if (count < 1 || count > steps.size())
            throw new IllegalArgumentException("steps: expected 1 to " + steps.size() + " last steps, found " + count);
        if (count == steps.size()) return this;
        List<Step> remaining = steps.subList(steps.size() - count, steps.size());
        double scale = switch (parameterization) {
            case VARIANCE_EXPLODING -> remaining.getFirst().from().sigma();
            case VARIANCE_PRESERVING -> 1;
        };
        return new SamplingPlan(sampler, remaining, parameterization, scale, predictionType, sigmaToTimestep);
    }
}
