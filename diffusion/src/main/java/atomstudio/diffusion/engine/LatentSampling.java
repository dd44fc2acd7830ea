package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// Samples the latents of a batch.
@FunctionalInterface
interface LatentSampling {
    /// The latents (B, 4, H/8, W/8) of the last pass, still multiplied by the scaling factor; empty if the
    /// listener stopped sampling.
    /// @throws Failure.Incompatible for invalid sizes, steps or strengths
    Optional<Tensor> sample(GenerationBatch batch, ConditioningSchedule conditioning, StepListener listener)
            throws Failure;
}
