package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The third-order multistep solver for the stochastic equation, in latents x0 + σ · noise. Draws once a step, but
/// not at a last one to no noise.
/// Source: k-diffusion's `sample_dpmpp_3m_sde`; Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5 and
/// appendix B, with φ2 and φ3 of the exponential integrators (Hochbruck and Ostermann 2010, equation 2.10). h = Δλ (1
/// + eta).
public record DpmPlusPlus3MSde(double eta) implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new DpmPlusPlus3MSde(request.eta()),
                SigmaSchedules.schedule(request, SigmaSchedules.kDiffusionSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        NoiseLevel to = context.step().to();
        if (to.sigmaT() == 0) return new StepResult(output.denoised(), output);
        double deltaLambda = to.lambda() - output.level().lambda();
        double h = deltaLambda * (1 + eta);
        Tensor x = LatentMath.weightedSum(Math.exp(-h), context.x(), -Math.expm1(-h), output.denoised());
        if (!context.history().isEmpty()) x = withHigherOrderTerms(x, context, output, h);
        return new StepResult(LatentMath.weightedSum(1, x, to.sigma() * Math.sqrt(-Math.expm1(-2 * deltaLambda * eta)),
                context.drawNoise()), output);
    }

    /// The first and, with two steps behind, the second derivative of the clean latents in λ, in units of the step.
    private static Tensor withHigherOrderTerms(Tensor x, StepContext context, ModelOutput output, double h) {
        double deltaLambda = context.step().to().lambda() - output.level().lambda();
        double phi2 = Math.expm1(-h) / h + 1;
        ModelOutput previous = context.history().getFirst();
        double r0 = (output.level().lambda() - previous.level().lambda()) / deltaLambda;
        Tensor d10 = LatentMath.weightedSum(1 / r0, output.denoised(), -1 / r0, previous.denoised());
        if (context.history().size() == 1) return LatentMath.weightedSum(1, x, phi2, d10);
        ModelOutput older = context.history().get(1);
        double r1 = (previous.level().lambda() - older.level().lambda()) / deltaLambda;
        Tensor d11 = LatentMath.weightedSum(1 / r1, previous.denoised(), -1 / r1, older.denoised());
        Tensor d2 = LatentMath.weightedSum(1 / (r0 + r1), d10, -1 / (r0 + r1), d11);
        double phi3 = phi2 / h - 0.5;
        return LatentMath.weightedSum(1, LatentMath.weightedSum(1, x, phi2, LatentMath.weightedSum(1, d10, r0, d2)),
                -phi3, d2);
    }
}
