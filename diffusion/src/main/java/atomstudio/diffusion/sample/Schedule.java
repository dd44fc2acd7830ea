package atomstudio.diffusion.sample;

import java.util.List;

/// The way from noise to latents: steps in order, what the network's output means, and by what standard normal noise is
/// multiplied to become the first latents (in the latent space of the sampler that it was made for).
public record Schedule(List<Step> steps, Prediction prediction, double initialScale) {
    public Schedule {
        if (steps.isEmpty()) throw new IllegalArgumentException("schedule: expected at least one step, found none");
        steps = List.copyOf(steps);
    }

    public int size() {
        return steps.size();
    }
}
