package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The sampler of denoising diffusion implicit models, in latents alpha · x0 + sigma · noise. Draws once a step where
/// eta is above 0.
/// Source: Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equations 12 and 16.
///
/// @param eta the share of ancestral noise, 0 (none) to 1
public record Ddim(Thresholding thresholding, double eta) implements Sampler {
    /// Steps go from t to t - ⌊T / steps⌋, whatever the next timestep of the spacing is, as in the reference.
    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        Ddim ddim = new Ddim(Thresholding.clipOrDynamic(config, true), request.eta());
        if (request.schedule() != ScheduleName.MODEL)
            return new SamplingPlan(ddim, TimestepSchedules.schedule(request, TimestepSchedules.namedSteps(request)));
        NoiseSchedule noiseSchedule = NoiseSchedule.of(config);
        List<Schedule.Step> steps = new ArrayList<>();
        for (int timestep : TimestepSchedules.timesteps(request)) {
            int nextTimestep = timestep - noiseSchedule.size() / request.steps();
            steps.add(new Schedule.Step(timestep, noiseSchedule.level(timestep),
                    nextTimestep >= 0 ? noiseSchedule.level(nextTimestep) : TimestepSchedules.finalLevel(config)));
        }
        return new SamplingPlan(ddim, TimestepSchedules.schedule(request, steps));
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput output = context.denoise();
        NoiseLevel from = output.level();
        NoiseLevel to = context.step().to();
        double stdDev = eta * to.sigmaT() / from.sigmaT()
                * Math.sqrt(Math.max(0, 1 - from.alphaT() * from.alphaT() / (to.alphaT() * to.alphaT())));
        double epsilonScale = Math.sqrt(to.sigmaT() * to.sigmaT() - stdDev * stdDev);
        Tensor x = LatentMath.weightedSum(to.alphaT(), thresholding.apply(output.denoised()), epsilonScale,
                output.epsilon());
        return new StepResult(eta > 0 ? LatentMath.weightedSum(1, x, stdDev, context.drawNoise()) : x, output);
    }
}
