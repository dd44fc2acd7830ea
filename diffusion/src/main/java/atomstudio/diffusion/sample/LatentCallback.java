package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Edits the latents between steps: a picture's kept part is put back with it.
@FunctionalInterface
public interface LatentCallback {
    /// @param step the step just done; the latents stand at its `to`
    /// @param x (B, C, H, W) in the schedule's own space; not to be changed
    Tensor onStepEnd(Step step, Tensor x);

    /// The same inside a step, before the network is called a second time.
    /// @param level how noisy what is put back is to be
    /// @param x (B, C, H, W) in the schedule's own space; not to be changed
    default Tensor onMidStep(NoiseLevel level, Tensor x) {
        return x;
    }

    static LatentCallback none() {
        return (step, x) -> x;
    }
}
