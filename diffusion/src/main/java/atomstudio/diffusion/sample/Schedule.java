package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The way from noise to latents.
///
/// @param steps in order
/// @param predictionType what the network's output means
/// @param parameterization the latent space of the sampler that it was made for
/// @param initNoiseSigma by what standard normal noise is multiplied to become the first latents
/// @param sigmaToTimestep for levels between the steps'
public record Schedule(List<Step> steps, PredictionType predictionType, Parameterization parameterization, double initNoiseSigma, SigmaToTimestep sigmaToTimestep) {
    public Schedule {
        if (steps.isEmpty()) throw new IllegalArgumentException("schedule: expected at least one step, found none");
        steps = List.copyOf(steps);
    }

    public int size() {
        return steps.size();
    }

    Schedule lastSteps(int count) {
        if (count < 1 || count > size()) throw new IllegalArgumentException("steps: expected 1 to " + size() + " of the schedule's last, found " + count);
        if (count == size()) return this;
        List<Step> remaining = steps.subList(size() - count, size());
        double scale = switch (parameterization) {
            case VARIANCE_EXPLODING -> remaining.getFirst().from().sigma();
            case VARIANCE_PRESERVING -> 1;
        };
        return new Schedule(remaining, predictionType, parameterization, scale, sigmaToTimestep);
    }

    /// In which latents a sampler walks. What the network is shown is always alpha · x0 + sigma · noise.
    public enum Parameterization {
        /// x0 + σ · noise, σ = sigma / alpha: Karras et al. 2022.
        VARIANCE_EXPLODING,
        /// alpha · x0 + sigma · noise: Ho et al. 2020.
        VARIANCE_PRESERVING;

        /// Clean latents (B, C, H, W) under standard normal noise of the same shape, at a level of this space.
        public Tensor addNoise(Tensor original, Tensor noise, NoiseLevel level) {
            return switch (this) {
                case VARIANCE_EXPLODING -> LatentMath.weightedSum(1, original, level.sigma(), noise);
                case VARIANCE_PRESERVING -> LatentMath.weightedSum(level.alphaT(), original, level.sigmaT(), noise);
            };
        }

        /// Latents of this space as the network is shown them.
        Tensor scaleModelInput(Tensor x, NoiseLevel level) {
            return switch (this) {
                case VARIANCE_EXPLODING -> LatentMath.scale(level.alphaT(), x);
                case VARIANCE_PRESERVING -> x;
            };
        }
    }

    /// What the network is told the time is at a noise level that no step names.
    @FunctionalInterface
    public interface SigmaToTimestep {
        /// @param sigma sigma / alpha, above 0
        /// @return in training steps, not always whole
        double timestep(double sigma);
    }

    /// One step of a sampler: what the network is told the time is, the noise there, and the noise to go to.
    public record Step(double timestep, NoiseLevel from, NoiseLevel to) {}
}
