package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The pseudo linear multistep method: Adams and Bashforth's weights on up to four outputs of the network, in latents
/// alpha · x0 + sigma · noise. The first step is taken twice, the second time with the mean of the outputs at both
/// ends.
/// Source: Liu, Ren, Lin and Zhao 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 11,
/// 12 and 22.
///
/// @param stepRatio timesteps of a step
public record Pndm(NoiseSchedule noiseSchedule, int stepRatio) implements Sampler {
    /// Latest output first, by how many there are.
    private static final double[][] WEIGHTS = {{1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0},
            {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};

    static SamplingPlan plan(SamplerRequest request) throws Failure {
        SchedulerConfig config = request.config();
        if (!config.bool("skip_prk_steps", false)) throw config.unsupported("skip_prk_steps", "false");
        NoiseSchedule noiseSchedule = NoiseSchedule.of(config);
        int stepRatio = noiseSchedule.size() / request.steps();
        NoiseLevel end = config.bool("set_alpha_to_one", false) ? new NoiseLevel(1, 0) : noiseSchedule.level(0);
        List<Schedule.Step> steps = new ArrayList<>();
        for (int timestep : TimestepSchedules.timesteps(request)) {
            steps.add(new Schedule.Step(timestep, noiseSchedule.level(timestep),
                    timestep >= stepRatio ? noiseSchedule.level(timestep - stepRatio) : end));
        }
        requireNonzeroSignal(steps);
        return new SamplingPlan(new Pndm(noiseSchedule, stepRatio), TimestepSchedules.schedule(request, steps));
    }

    /// Its step divides by the signal at the step's beginning.
    private static void requireNonzeroSignal(List<Schedule.Step> steps) throws Failure {
        if (steps.getFirst().from().alphaT() > 0) return;
        throw new Failure.Incompatible(
                "sampler pndm with zero terminal SNR (rescale_betas_zero_snr): it divides by the signal, which is 0 at timestep "
                        + (int) steps.getFirst().timestep() + "; choose ddim, euler or another sampler");
    }

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput current = context.denoise();
        if (context.history().isEmpty() && !context.isLast())
            return new StepResult(firstStep(context, current), current);
        List<ModelOutput> history = context.historyWith(current);
        double[] weights = WEIGHTS[history.size() - 1];
        Tensor modelOutput = LatentMath.scale(weights[0], current.modelOutput());
        for (int k = 1; k < weights.length; k++)
            modelOutput = LatentMath.weightedSum(1, modelOutput, weights[k], history.get(k).modelOutput());
        return new StepResult(transfer(context, modelOutput, current.level(), context.step().to()), current);
    }

    /// The second time counts the stride back from the next timestep, as in the reference.
    private Tensor firstStep(StepContext context, ModelOutput current) throws Failure {
        int nextTimestep = (int) context.remaining().getFirst().timestep();
        ModelOutput atEnd = context.denoiseAtEnd(
                context.editMidStep(transfer(context, current.modelOutput(), current.level(), context.step().to()),
                        context.remaining().getFirst().from()));
        Tensor mean = LatentMath.weightedSum(0.5, current.modelOutput(), 0.5, atEnd.modelOutput());
        return transfer(context, mean,
                noiseSchedule.level(Math.min(nextTimestep + stepRatio, noiseSchedule.size() - 1)),
                noiseSchedule.level(nextTimestep));
    }

    private static Tensor transfer(StepContext context, Tensor modelOutput, NoiseLevel from, NoiseLevel to) {
        Tensor epsilon = context.runContext().schedule().predictionType().epsilon(context.x(), modelOutput, from);
        double alphaRatio = to.alphaT() / from.alphaT();
        return LatentMath.weightedSum(alphaRatio, context.x(), to.sigmaT() - alphaRatio * from.sigmaT(), epsilon);
    }
}
