package atomstudio.diffusion.sample;

/// One step of a sampler: what the network is told the time is, the noise there, and the noise to go to.
public record Step(double timestep, NoiseLevel from, NoiseLevel to) {}
