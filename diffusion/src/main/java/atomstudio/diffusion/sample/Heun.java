package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Heun's method on the probability flow: an Euler step, then one along the mean derivative of both ends. Calls the
/// network twice a step, but once at a last step to σ = 0.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0.
public record Heun(Thresholding thresholding) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise().thresholded(thresholding);
        Tensor d = output.d();
        double dt = context.sigmaNext() - context.sigma();
        Tensor x2 = add(context.x(), dt, d);
        if (context.sigmaNext() == 0) return new StepResult(x2, output);
        Tensor d2 = context.denoiseAtEnd(x2).thresholded(thresholding).d();
        Tensor dMean = weightedSum(0.5, d, 0.5, d2);
        return new StepResult(add(context.x(), dt, dMean), output);
    }
}
