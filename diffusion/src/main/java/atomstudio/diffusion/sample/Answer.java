package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What the network said of latents.
///
/// @param x the latents (B, C, H, W), in the schedule's own space
/// @param clean the x0 that follows from the output, `noise` the noise
record Answer(Tensor x, Level at, Tensor clean, Tensor noise, Tensor output) {
    /// The same with the clean latents held in a range; the noise stays what it was.
    Answer bounded(Bound bound) {
        return new Answer(x, at, bound.apply(clean), noise, output);
    }

    /// The same of other latents.
    Answer of(Tensor other) {
        return new Answer(other, at, clean, noise, output);
    }

    /// dx/dσ of the probability flow in latents x0 + σ · noise. Source: Karras, Aittala, Aila and Laine 2022, equation 3.
    Tensor slope() {
        return Latents.sum(1 / at.ratio(), x, -1 / at.ratio(), clean);
    }

    /// From here along a slope to another σ, in latents x0 + σ · noise.
    Tensor along(Tensor slope, double ratio) {
        return Latents.sum(1, x, ratio - at.ratio(), slope);
    }

    /// As far toward clean latents as σ falls, in latents x0 + σ · noise: exact where they are the truth.
    Tensor toward(Tensor truth, double ratio) {
        double left = ratio / at.ratio();
        return Latents.sum(left, x, 1 - left, truth);
    }
}
