package atomstudio.diffusion.sample;

/// Hears of every finished step, on the sampler's thread, and says whether to go on.
@FunctionalInterface
public interface StepListener {
    enum Next { CONTINUE, STOP }

    /// Once a step, however often the step asked the network.
    Next onStep(SamplingProgress progress);

    /// Hears nothing, never stops.
    static StepListener none() {
        return progress -> Next.CONTINUE;
    }
}
