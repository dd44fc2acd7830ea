package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What the network said of latents.
///
/// @param x the latents (B, C, H, W), in the schedule's own space
/// @param denoised the x0 that follows from the output, `noise` the noise
record ModelOutput(Tensor x, NoiseLevel level, Tensor denoised, Tensor epsilon, Tensor modelOutput) {
    /// The same with the clean latents held in a range; the noise stays what it was.
    ModelOutput thresholded(Thresholding thresholding) {
        return new ModelOutput(x, level, thresholding.apply(denoised), epsilon, modelOutput);
    }

    /// The same of other latents.
    ModelOutput withLatents(Tensor latents) {
        return new ModelOutput(latents, level, denoised, epsilon, modelOutput);
    }

    /// dx/dσ of the probability flow in latents x0 + σ · noise. Source: Karras, Aittala, Aila and Laine 2022,
    /// equation 3.
    Tensor d() {
        return LatentMath.weightedSum(1 / level.sigma(), x, -1 / level.sigma(), denoised);
    }

    /// From here along a slope to another σ, in latents x0 + σ · noise.
    Tensor eulerStep(Tensor d, double sigmaNext) {
        return LatentMath.weightedSum(1, x, sigmaNext - level.sigma(), d);
    }

    /// As far toward clean latents as σ falls, in latents x0 + σ · noise: exact where they are the truth.
    Tensor ddimStep(Tensor target, double sigmaNext) {
        double sigmaRatio = sigmaNext / level.sigma();
        return LatentMath.weightedSum(sigmaRatio, x, 1 - sigmaRatio, target);
    }
}
