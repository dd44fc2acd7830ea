package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.tensor.Tensor;

/// The network's output at one noise level, and the x0 and noise that follow from it.
///
/// @param x the latents (B, C, H, W), in the schedule's parameterization
/// @param denoised the predicted x0
/// @param epsilon the predicted noise
/// @param modelOutput as the network returned it
record ModelOutput(Tensor x, NoiseLevel level, Tensor denoised, Tensor epsilon, Tensor modelOutput) {
    /// The predicted x0 thresholded; epsilon is unchanged.
    ModelOutput thresholded(Thresholding thresholding) {
        return new ModelOutput(x, level, thresholding.apply(denoised), epsilon, modelOutput);
    }

    ModelOutput withLatents(Tensor latents) {
        return new ModelOutput(latents, level, denoised, epsilon, modelOutput);
    }

    /// dx/dσ of the probability flow, (x - denoised) / σ, in latents x0 + σ · noise; k-diffusion's `to_d`.
    /// Source: Karras, Aittala, Aila and Laine 2022, equation 3.
    Tensor d() {
        return weightedSum(1 / level.sigma(), x, -1 / level.sigma(), denoised);
    }

    /// A DDIM step to another σ with this x0, in latents x0 + σ · noise: x0 + σ'/σ · (x - x0).
    Tensor ddimStep(Tensor x0, double sigmaNext) {
        double sigmaRatio = sigmaNext / level.sigma();
        return weightedSum(sigmaRatio, x, 1 - sigmaRatio, x0);
    }
}
