package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The third-order multistep solver for the stochastic equation, in latents x0 + σ · noise. Draws once a step, but
/// not at a last step to σ = 0.
/// Source: k-diffusion's `sample_dpmpp_3m_sde`; Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5 and
/// appendix B, with φ2 and φ3 of the exponential integrators (Hochbruck and Ostermann 2010, equation 2.10).
/// h = (1 + eta) Δλ.
public record DpmPlusPlus3MSde(double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        if (context.sigmaNext() == 0) return new StepResult(output.denoised(), output);
        double deltaLambda = context.to().lambda() - context.from().lambda();
        double h = deltaLambda * (1 + eta);
        Tensor x = weightedSum(Math.exp(-h), context.x(), -Math.expm1(-h), output.denoised());
        if (!context.history().isEmpty()) x = addHigherOrderTerms(x, context, output, deltaLambda);
        double noiseScale = context.sigmaNext() * Math.sqrt(-Math.expm1(-2 * deltaLambda * eta));
        return new StepResult(add(x, noiseScale, context.drawNoise()), output);
    }

    /// The first and, after two steps, the second derivative of x0 in λ, in units of the step.
    private Tensor addHigherOrderTerms(Tensor x, StepContext context, ModelOutput output, double deltaLambda) {
        double h = deltaLambda * (1 + eta);
        double phi2 = Math.expm1(-h) / h + 1;
        ModelOutput previous = context.history().getFirst();
        double r0 = (output.level().lambda() - previous.level().lambda()) / deltaLambda;
        Tensor d10 = weightedSum(1 / r0, output.denoised(), -1 / r0, previous.denoised());
        if (context.history().size() == 1) return add(x, phi2, d10);
        ModelOutput older = context.history().get(1);
        double r1 = (previous.level().lambda() - older.level().lambda()) / deltaLambda;
        Tensor d11 = weightedSum(1 / r1, previous.denoised(), -1 / r1, older.denoised());
        Tensor d2 = weightedSum(1 / (r0 + r1), d10, -1 / (r0 + r1), d11);
        Tensor d1 = add(d10, r0, d2);
        double phi3 = phi2 / h - 0.5;
        return add(add(x, phi2, d1), -phi3, d2);
    }
}
