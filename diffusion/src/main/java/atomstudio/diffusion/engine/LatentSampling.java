package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// Samples a generation's latents.
@FunctionalInterface
interface LatentSampling {
    /// The latents (1, 4, H/8, W/8) of the last pass, still multiplied by the scaling factor; empty if the
    /// listener stopped sampling.
    /// @throws Failure.Incompatible for invalid sizes, steps or strengths
    Optional<Tensor> sample(Generation generation, ConditioningSchedule conditioning, StepListener listener)
            throws Failure;
}
