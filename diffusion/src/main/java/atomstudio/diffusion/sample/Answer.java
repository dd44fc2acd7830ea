package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What the network said of latents.
///
/// @param x the latents (B, C, H, W), in the schedule's own space
/// @param clean the x0 that follows from the output, `noise` the noise
record Answer(Tensor x, Level at, Tensor clean, Tensor noise, Tensor output) {
    /// dx/dσ of the probability flow in latents x0 + σ · noise. Source: Karras, Aittala, Aila and Laine 2022, equation 3.
    Tensor slope() {
        return Latents.sum(1 / at.ratio(), x, -1 / at.ratio(), clean);
    }
}
