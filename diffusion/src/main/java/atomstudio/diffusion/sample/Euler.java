package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Euler's method on the probability flow, in latents x0 + σ · noise.
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
        double finalSigma = request.trained().finalSigma(config);
        return request.varianceExploding(new Euler(), request.diffusersSigmas().steps(finalSigma));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        Tensor d = output.d();
        double dt = context.sigmaNext() - context.sigma();
        Tensor x = add(context.x(), dt, d);
        return new StepResult(x, output);
    }
}
