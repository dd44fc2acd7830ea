package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Trajectory consistency distillation: a deterministic step to s = (1 - eta) t', then fresh noise up to t'. Draws
/// once a step if eta is above 0, but not at the last.
/// Source: Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4 (strategic stochastic sampling); eta
/// is its γ.
public record Tcd(NoiseSchedule noiseSchedule, double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        double nextTimestep = context.isLast() ? 0 : context.nextStep().timestep();
        int timestepS = (int) Math.floor((float) (1 - eta) * (float) nextTimestep);
        NoiseLevel levelS = noiseSchedule.level(timestepS);
        Tensor x = weightedSum(levelS.alphaT(), output.denoised(), levelS.sigmaT(), output.epsilon());
        if (eta == 0 || context.isLast()) return new StepResult(x, output);
        double alphaRatio = context.to().alphaT() / levelS.alphaT();
        x = weightedSum(alphaRatio, x, Math.sqrt(1 - alphaRatio * alphaRatio), context.drawNoise());
        return new StepResult(x, output);
    }
}
