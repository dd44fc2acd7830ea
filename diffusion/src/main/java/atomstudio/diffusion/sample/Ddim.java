package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Denoising diffusion implicit models, in latents alpha · x0 + sigma · noise. Draws once a step if eta is above 0.
/// Source: Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equations 12 and 16.
///
/// @param eta the share of ancestral noise, 0 (none) to 1
public record Ddim(Thresholding thresholding, double eta) implements Sampler {
    /// Steps go from t to t - ⌊T / steps⌋, not to the next timestep of the spacing, as in diffusers.
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        Ddim ddim = new Ddim(Thresholding.clipOrDynamic(config, true), request.eta());
        if (request.schedule() != ScheduleName.AUTOMATIC)
            return request.variancePreserving(ddim, request.namedSteps());
        NoiseSchedule noiseSchedule = NoiseSchedule.of(config);
        NoiseLevel finalLevel = config.bool("set_alpha_to_one", true) ? NoiseLevel.NO_NOISE : noiseSchedule.level(0);
        List<Schedule.Step> steps = new ArrayList<>();
        for (int timestep : request.timesteps()) {
            int nextTimestep = timestep - noiseSchedule.size() / request.steps();
            NoiseLevel to = nextTimestep >= 0 ? noiseSchedule.level(nextTimestep) : finalLevel;
            steps.add(new Schedule.Step(timestep, noiseSchedule.level(timestep), to));
        }
        return request.variancePreserving(ddim, steps);
    }

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
