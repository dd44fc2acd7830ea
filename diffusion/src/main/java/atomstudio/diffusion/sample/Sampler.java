package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// A sampler: one step of a schedule as a pure function of the latents and the history. [SamplingPlan#run] is the loop
/// of all samplers, [SamplerName] lists them.
public interface Sampler {
    /// From the latents at the step's `from` to those at its `to`.
    StepResult step(StepContext context) throws Failure;

    /// @param x the latents at the end of the step
    /// @param output the network's output at its start, for the history and for previews
    record StepResult(Tensor x, ModelOutput output) {}

    /// Whether a multistep solver lowers its order over the last steps (`lower_order_final`).
    enum FinalOrder {
        LOWER, FULL;

        /// The order of one step.
        /// @param outputs how many outputs are available, the current one included
        /// @param stepsLeft how many steps remain, this one included
        int stepOrder(int order, int outputs, int stepsLeft) {
            return Math.min(outputs, this == LOWER ? Math.min(order, stepsLeft) : order);
        }
    }
}
