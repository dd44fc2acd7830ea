package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Denoising diffusion implicit models, in latents alpha · x0 + sigma · noise. Draws once a step if eta is above 0.
/// Source: Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equations 12 and 16.
///
/// @param eta the share of ancestral noise, 0 (none) to 1
public record Ddim(Thresholding thresholding, double eta) implements Sampler {
    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        NoiseLevel from = context.from();
        NoiseLevel to = context.to();
        double stdDev = eta * to.sigmaT() / from.sigmaT()
                * Math.sqrt(Math.max(0, 1 - from.alphaT() * from.alphaT() / (to.alphaT() * to.alphaT())));
        double epsilonScale = Math.sqrt(to.sigmaT() * to.sigmaT() - stdDev * stdDev);
        Tensor denoised = thresholding.apply(output.denoised());
        Tensor x = weightedSum(to.alphaT(), denoised, epsilonScale, output.epsilon());
        if (eta > 0) x = add(x, stdDev, context.drawNoise());
        return new StepResult(x, output);
    }
}
