package atomstudio.diffusion.sample;

import java.util.List;

/// The way from noise to latents.
///
/// @param steps in order
/// @param prediction what the network's output means
/// @param space the latent space of the sampler that it was made for
/// @param initialScale by what standard normal noise is multiplied to become the first latents
/// @param clock for levels between the steps'
public record Schedule(List<Step> steps, Prediction prediction, Space space, double initialScale, Clock clock) {
    public Schedule {
        if (steps.isEmpty()) throw new IllegalArgumentException("schedule: expected at least one step, found none");
        steps = List.copyOf(steps);
    }

    public int size() {
        return steps.size();
    }

    Schedule last(int count) {
        if (count < 1 || count > size()) throw new IllegalArgumentException("steps: expected 1 to " + size() + " of the schedule's last, found " + count);
        if (count == size()) return this;
        List<Step> left = steps.subList(size() - count, size());
        double scale = switch (space) {
            case RATIO -> left.getFirst().from().ratio();
            case VARIANCE -> 1;
        };
        return new Schedule(left, prediction, space, scale, clock);
    }
}
