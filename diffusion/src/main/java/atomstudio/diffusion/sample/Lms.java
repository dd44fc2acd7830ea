package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The linear multistep method: the polynomial through up to four slopes, integrated over the step.
/// Source: Hairer, Nørsett and Wanner 1993, "Solving Ordinary Differential Equations I", section III.1 (explicit
/// Adams methods, unequal steps in σ); Katherine Crowson's k-diffusion for its use here.
public record Lms() implements Sampler {
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        return new SamplingPlan(new Lms(),
                SigmaSchedules.schedule(request, SigmaSchedules.diffusersSigmas(request).steps(0)));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        List<ModelOutput> history = context.historyWith(output);
        double[] sigmas = history.stream().mapToDouble(previous -> previous.level().sigma()).toArray();
        Tensor x = context.x();
        for (int j = 0; j < sigmas.length; j++) {
            x = LatentMath.weightedSum(1, x,
                    Lagrange.integral(sigmas, j, output.level().sigma(), context.step().to().sigma()),
                    history.get(j).d());
        }
        return new StepResult(x, output);
    }
}
