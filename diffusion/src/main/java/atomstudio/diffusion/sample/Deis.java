package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The exponential integrator for the predicted noise: its polynomial in log ρ through up to three outputs,
/// integrated over ρ = sigma / alpha, in latents alpha · x0 + sigma · noise.
/// Source: Zhang and Chen 2023, "Fast Sampling of Diffusion Models with Exponential Integrator", equation 15 (log ρ
/// AB-DEIS).
///
/// @param order 1 to 3
public record Deis(int order, FinalOrder finalOrder, Thresholding thresholding) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        List<ModelOutput> history = context.historyWith(output);
        int stepOrder = finalOrder.stepOrder(order, history.size(), context.stepsLeft());
        double[] logSigmas = history.stream()
                .limit(stepOrder)
                .mapToDouble(previous -> Math.log(previous.level().sigma()))
                .toArray();
        double alphaTo = context.to().alphaT();
        Tensor x = context.x().scaled(alphaTo / context.from().alphaT());
        for (int j = 0; j < stepOrder; j++) {
            double coefficient = Lms.Lagrange.logIntegral(logSigmas, j, context.sigma(), context.sigmaNext());
            x = add(x, alphaTo * coefficient, epsilon(history.get(j)));
        }
        return new StepResult(x, output);
    }

    /// The noise that follows from the thresholded x0.
    private static Tensor epsilon(ModelOutput output) {
        NoiseLevel level = output.level();
        return weightedSum(1 / level.sigmaT(), output.x(), -level.alphaT() / level.sigmaT(), output.denoised());
    }
}
