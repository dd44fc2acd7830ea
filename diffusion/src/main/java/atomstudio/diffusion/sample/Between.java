package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// Edits the latents between steps: a picture's kept part is put back with it.
@FunctionalInterface
public interface Between {
    /// @param step the step just done; the latents stand at its `to`
    /// @param x (B, C, H, W) in the schedule's own space; not to be changed
    Tensor between(Step step, Tensor x);

    /// The same inside a step, before the network is called a second time.
    /// @param at how noisy what is put back is to be
    /// @param x (B, C, H, W) in the schedule's own space; not to be changed
    default Tensor within(Level at, Tensor x) {
        return x;
    }

    static Between nothing() {
        return (step, x) -> x;
    }
}
