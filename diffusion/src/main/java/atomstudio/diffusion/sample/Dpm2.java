package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The midpoint method on the probability flow, with the midpoint in log σ. Calls the network twice a step, but once
/// at a last step to σ = 0.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver", algorithm 1; k-diffusion's `sample_dpm_2`.
public record Dpm2() implements Sampler {
    /// Rounded timesteps for a Karras schedule, fractional ones at midpoints, as in diffusers.
    static Sigmas sigmas(SamplerRequest request) throws Failure {
        Sigmas sigmas = request.diffusersSigmas();
        return request.configuredSchedule() == ScheduleName.KARRAS ? sigmas.withTimesteps(Math::rint) : sigmas;
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        return new StepResult(stepTo(context, output.d(), context.sigmaNext()), output);
    }

    /// The callback at the midpoint gets the noise level of the step's end, as in diffusers.
    static Tensor stepTo(StepContext context, Tensor d, double sigmaNext) throws Failure {
        double sigma = context.sigma();
        double dt = sigmaNext - sigma;
        if (sigmaNext == 0) return add(context.x(), dt, d);
        double sigmaMid = Math.sqrt(sigma * sigmaNext);
        Tensor x2 = add(context.x(), sigmaMid - sigma, d);
        Tensor d2 = context.denoiseMidStep(x2, NoiseLevel.ofSigma(sigmaMid), context.to()).d();
        return add(context.x(), dt, d2);
    }
}
