package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The steps of a sampling run.
///
/// @param steps in order
/// @param predictionType the meaning of the network's output
/// @param parameterization of the sampler's latents
/// @param initNoiseSigma factor on standard normal noise for the first latents
/// @param sigmaToTimestep for noise levels between the steps'
public record Schedule(List<Step> steps, PredictionType predictionType, Parameterization parameterization,
        double initNoiseSigma, SigmaToTimestep sigmaToTimestep) {
    public Schedule {
        if (steps.isEmpty()) throw new IllegalArgumentException("schedule: expected at least one step, found none");
        steps = List.copyOf(steps);
    }

    public int size() {
        return steps.size();
    }

    Schedule lastSteps(int count) {
        if (count < 1 || count > size())
            throw new IllegalArgumentException("steps: expected 1 to " + size() + " last steps, found " + count);
        if (count == size()) return this;
        List<Step> remaining = steps.subList(size() - count, size());
        double scale = switch (parameterization) {
            case VARIANCE_EXPLODING -> remaining.getFirst().from().sigma();
            case VARIANCE_PRESERVING -> 1;
        };
        return new Schedule(remaining, predictionType, parameterization, scale, sigmaToTimestep);
    }

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

    /// One step: the timestep given to the network, the noise level at the start, and the one at the end.
    public record Step(double timestep, NoiseLevel from, NoiseLevel to) {}
}
