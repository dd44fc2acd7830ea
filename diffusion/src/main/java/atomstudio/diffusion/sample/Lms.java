package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The linear multistep method: the polynomial through up to four derivatives, integrated over the step.
/// Source: Hairer, Nørsett and Wanner 1993, "Solving Ordinary Differential Equations I", section III.1 (explicit
/// Adams methods, unequal steps in σ); k-diffusion's `sample_lms`.
public record Lms() implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        List<ModelOutput> history = context.historyWith(output);
        double[] sigmas = history.stream().mapToDouble(previous -> previous.level().sigma()).toArray();
        Tensor x = context.x();
        for (int j = 0; j < sigmas.length; j++) {
            double coefficient = Lagrange.integral(sigmas, j, context.sigma(), context.sigmaNext());
            x = add(x, coefficient, history.get(j).d());
        }
        return new StepResult(x, output);
    }
}
