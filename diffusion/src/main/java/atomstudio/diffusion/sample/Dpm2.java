package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The midpoint method on the probability flow, the middle taken in log σ. Asks twice a step, but for a last one to
/// no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver", algorithm 1, as k-diffusion has it with Karras et
/// al.'s slopes.
public record Dpm2() implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new Dpm2(), SigmaSchedules.schedule(request, sigmas(request).steps(0)));
    }

    /// The times of Karras's spacing are whole, those of the middles are not, as in the reference.
    static Sigmas sigmas(SamplerRequest request) throws Failure {
        Sigmas sigmas = SigmaSchedules.diffusersSigmas(request);
        return request.configuredSchedule() == ScheduleName.KARRAS ? sigmas.withTimesteps(Math::rint) : sigmas;
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        return new StepResult(stepTo(context, output, context.step().to().sigma()), output);
    }

    /// From what was said to another σ. What is kept is put back as noisy as at the step's end, not as in the middle,
    /// as in the reference.
    static Tensor stepTo(StepContext context, ModelOutput output, double sigmaNext) throws Failure {
        if (sigmaNext == 0) return output.eulerStep(output.d(), 0);
        double sigmaMid = Math.sqrt(output.level().sigma() * sigmaNext);
        ModelOutput mid = context.denoise(
                context.editMidStep(output.eulerStep(output.d(), sigmaMid), context.step().to()),
                NoiseLevel.ofSigma(sigmaMid));
        return output.eulerStep(mid.d(), sigmaNext);
    }
}
