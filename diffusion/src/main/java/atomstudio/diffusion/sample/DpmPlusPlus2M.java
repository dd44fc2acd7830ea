package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order multistep solver for x0, in latents alpha · x0 + sigma · noise, λ = log(alpha / sigma). eta 0
/// solves the probability flow, eta 1 the stochastic equation. Draws once a step if eta is above 0, also at the last.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", algorithm 2 and section 5; eta between as in
/// k-diffusion's `sample_dpmpp_2m_sde`.
///
/// @param order 1 or 2
/// @param finalOrder must be LOWER for a last step to σ = 0
public record DpmPlusPlus2M(int order, SolverType solverType, FinalOrder finalOrder, double eta,
        Thresholding thresholding) implements Sampler {
    /// How the change of x0 over a step is integrated: at the midpoint, or exactly if linear in λ.
    public enum SolverType { MIDPOINT, HEUN }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        NoiseLevel from = context.from();
        NoiseLevel to = context.to();
        double deltaLambda = to.lambda() - from.lambda();
        if (deltaLambda == 0) return new StepResult(context.x(), output);
        double h = (1 + eta) * deltaLambda;
        int stepOrder = finalOrder.stepOrder(order, context.history().size() + 1, context.stepsLeft());
        Tensor denoised = stepOrder == 1 ? output.denoised()
                : extrapolatedDenoised(output, context.history().getFirst(), deltaLambda, h);
        double decay = eta == 0 ? 1 : Math.exp(-eta * deltaLambda);
        Tensor x = weightedSum(to.sigmaT() / from.sigmaT() * decay, context.x(), -to.alphaT() * Math.expm1(-h),
                denoised);
        if (eta > 0) {
            double noiseScale = to.sigmaT() * Math.sqrt(-Math.expm1(-2 * eta * deltaLambda));
            x = add(x, noiseScale, context.drawNoise());
        }
        return new StepResult(x, output);
    }

    /// D = x0 + w (x0 - x0') / r, where x0' is the previous step's and r the ratio of the two steps in λ.
    private Tensor extrapolatedDenoised(ModelOutput output, ModelOutput previous, double deltaLambda, double h) {
        double r = (output.level().lambda() - previous.level().lambda()) / deltaLambda;
        double w = switch (solverType) {
            case MIDPOINT -> 0.5;
            case HEUN -> -(Math.expm1(-h) / h + 1) / Math.expm1(-h);
        };
        return weightedSum(1 + w / r, output.denoised(), -w / r, previous.denoised());
    }
}
