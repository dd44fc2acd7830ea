package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// A sampler: one step of a schedule as a pure function of the latents and the history. [SamplingPlan#run] is the loop
/// of all samplers, [SamplerName] lists them.
@FunctionalInterface
public interface Sampler {
    /// From the latents at the step's `from` to those at its `to`.
    StepResult step(StepContext context) throws Failure;

    /// @param x the latents at the end of the step
    /// @param output the network's output at its start, for the history and for previews
    record StepResult(Tensor x, ModelOutput output) {}

    /// The network's output at one noise level, and the x0 and noise that follow from it.
    ///
    /// @param x the latents (B, C, H, W), in the plan's parameterization
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

    /// Splits a step from σ to σ' into a deterministic part, down to `sigmaDown`, and fresh noise of `sigmaUp`, so that
    /// sigmaDown² + sigmaUp² = σ'².
    /// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance
    /// exploding process); `eta`, the share of fresh noise, as in k-diffusion's `get_ancestral_step`.
    record AncestralStep(double sigmaDown, double sigmaUp) {
        static AncestralStep of(double sigmaFrom, double sigmaTo, double eta) {
            double from2 = sigmaFrom * sigmaFrom;
            double to2 = sigmaTo * sigmaTo;
            double sigmaUp = Math.min(sigmaTo, eta * Math.sqrt(to2 * (from2 - to2) / from2));
            return new AncestralStep(Math.sqrt(to2 - sigmaUp * sigmaUp), sigmaUp);
        }
    }

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
