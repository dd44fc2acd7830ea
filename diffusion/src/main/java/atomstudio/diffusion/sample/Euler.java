package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// Euler's method on the probability flow, in latents x0 + σ · noise, σ = sigma / alpha.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0 and
/// without its correction.
public record Euler() implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        String interpolation = config.string("interpolation_type", "linear");
        if (!interpolation.equals("linear")) throw config.unsupported("interpolation_type", interpolation);
        String type = config.string("timestep_type", "discrete");
        if (!type.equals("discrete") && config.predictionType() == PredictionType.V)
            throw config.unsupported("timestep_type", type);
        Sigmas sigmas = SigmaSchedules.diffusersSigmas(request);
        return new SamplingPlan(new Euler(),
                SigmaSchedules.schedule(request, sigmas.steps(TrainedSigmas.of(config).finalSigma(config))));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        return new StepResult(output.eulerStep(output.d(), context.step().to().sigma()), output);
    }
}
