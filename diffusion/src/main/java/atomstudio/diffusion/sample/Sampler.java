package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// A way to take one step of a schedule: a function that keeps nothing between calls, its history is handed to it.
/// [SamplingPlan#run] walks all of them.
public sealed interface Sampler permits Euler, EulerAncestral, Heun, Lms, Ddim, Ddpm, Pndm, DpmPlusPlus2M, DpmPlusPlusSde,
        DpmPlusPlus2SAncestral, DpmPlusPlus3MSde, Dpm2, Dpm2Ancestral, UniPc, Deis, Lcm, Tcd {
    /// From the latents at the step's `from` to those at its `to`.
    StepResult step(StepContext context) throws Failure;
}
