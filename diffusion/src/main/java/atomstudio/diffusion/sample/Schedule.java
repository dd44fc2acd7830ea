package atomstudio.diffusion.sample;

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
}
