package atomstudio.diffusion.sample;

/// What the network is told the time is at a noise level that no step names.
@FunctionalInterface
public interface SigmaToTimestep {
    /// @param sigma sigma / alpha, above 0
    /// @return in training steps, not always whole
    double timestep(double sigma);
}
