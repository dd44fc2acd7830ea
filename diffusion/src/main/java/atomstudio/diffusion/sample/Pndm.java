package atomstudio.diffusion.sample;

import static atomstudio.diffusion.tensor.Tensor.add;
import static atomstudio.diffusion.tensor.Tensor.weightedSum;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// The pseudo linear multistep method (PLMS): Adams-Bashforth weights on up to four network outputs, in latents
/// alpha · x0 + sigma · noise. The first step is done twice, the second time with the mean of the outputs at both ends.
/// Source: Liu, Ren, Lin and Zhao 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 11,
/// 12 and 22.
///
/// @param stepRatio timesteps per step
public record Pndm(NoiseSchedule noiseSchedule, int stepRatio) implements Sampler {
    /// Latest output first, by the number of outputs.
    private static final double[][] WEIGHTS = {{1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0},
            {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}};

    @Override
    public StepResult step(StepContext context) throws Failure {
        ModelOutput current = context.denoise();
        if (context.history().isEmpty() && !context.isLast())
            return new StepResult(firstStep(context, current), current);
        List<ModelOutput> history = context.historyWith(current);
        double[] weights = WEIGHTS[history.size() - 1];
        Tensor modelOutput = current.modelOutput().scaled(weights[0]);
        for (int k = 1; k < weights.length; k++)
            modelOutput = add(modelOutput, weights[k], history.get(k).modelOutput());
        return new StepResult(transfer(context, modelOutput, context.from(), context.to()), current);
    }

    /// The second time starts one stride before the next timestep, as in diffusers.
    private Tensor firstStep(StepContext context, ModelOutput current) throws Failure {
        int nextTimestep = (int) context.nextStep().timestep();
        Tensor x2 = transfer(context, current.modelOutput(), context.from(), context.to());
        ModelOutput atEnd = context.denoiseAtEnd(x2);
        Tensor mean = weightedSum(0.5, current.modelOutput(), 0.5, atEnd.modelOutput());
        int timestep = Math.min(nextTimestep + stepRatio, noiseSchedule.size() - 1);
        return transfer(context, mean, noiseSchedule.level(timestep), noiseSchedule.level(nextTimestep));
    }

    /// Source: equation 11, the transfer part φ.
    private static Tensor transfer(StepContext context, Tensor modelOutput, NoiseLevel from, NoiseLevel to) {
        Tensor epsilon = context.plan().predictionType().epsilon(context.x(), modelOutput, from);
        double alphaRatio = to.alphaT() / from.alphaT();
        return weightedSum(alphaRatio, context.x(), to.sigmaT() - alphaRatio * from.sigmaT(), epsilon);
    }
}
