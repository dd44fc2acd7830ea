package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// A way to take one step of a schedule: a function that keeps nothing between calls, its history is handed to it.
/// [SamplingPlan#run] walks all of them.
public sealed interface Sampler
        permits Euler, EulerAncestral, Heun, Lms, Ddim, Ddpm, Pndm, DpmPlusPlus2M, DpmPlusPlusSde,
        DpmPlusPlus2SAncestral, DpmPlusPlus3MSde, Dpm2, Dpm2Ancestral, UniPc, Deis, Lcm, Tcd {
    /// From the latents at the step's `from` to those at its `to`.
    StepResult step(StepContext context) throws Failure;

    /// What a step came to.
    ///
    /// @param x the latents at the step's end
    /// @param output what the network said of its beginning: later steps find it in their past, previews show its
    ///     clean latents
    record StepResult(Tensor x, ModelOutput output) {}
}
