package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// Where a sampler stands before a step, and all that it may ask and draw.
///
/// @param x (B, C, H, W) in the schedule's own space
/// @param history what the network said at the steps before, latest first
/// @param remaining the steps after this one
record StepContext(Schedule.Step step, Tensor x, List<ModelOutput> history, List<Schedule.Step> remaining,
        RunContext runContext) {
    record RunContext(SamplingRun run, Schedule schedule) {}

    boolean isLast() { return remaining.isEmpty(); }

    /// What the network says where the step begins.
    ModelOutput denoise() throws Failure {
        return denoise(x, step.from(), step.timestep());
    }

    /// What it says of latents at any level, told the time of that level.
    ModelOutput denoise(Tensor latents, NoiseLevel level) throws Failure {
        return denoise(latents, level, runContext.schedule.sigmaToTimestep().timestep(level.sigma()));
    }

    ModelOutput denoise(Tensor latents, NoiseLevel level, double timestep) throws Failure {
        PredictionType predictionType = runContext.schedule.predictionType();
        Tensor modelInput = runContext.schedule.parameterization().scaleModelInput(latents, level);
        Tensor modelOutput = runContext.run.denoiser().predict(modelInput, timestep);
        return new ModelOutput(latents, level, predictionType.denoised(modelInput, modelOutput, level),
                predictionType.epsilon(modelInput, modelOutput, level), modelOutput);
    }

    /// What it says of latents where the step ends.
    ModelOutput denoiseAtEnd(Tensor latents) throws Failure {
        return isLast() ? denoise(latents, step.to()) : denoise(latents, step.to(), remaining.getFirst().timestep());
    }

    /// Latents inside the step with what is kept put back, as noisy as a level.
    Tensor editMidStep(Tensor latents, NoiseLevel level) {
        return runContext.run.callback().onMidStep(level, latents);
    }

    /// All that is known with this answer, latest first.
    List<ModelOutput> historyWith(ModelOutput output) {
        return Stream.concat(Stream.of(output), history.stream()).toList();
    }

    /// Standard normal noise of the latents' shape.
    Tensor drawNoise() {
        return runContext.run.noiseSource().draw(x.shape());
    }
}
