package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.Sampler.ModelOutput;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// The input of one sampler step: latents, noise levels, earlier outputs, and access to the network and to noise.
///
/// @param index of the step in the plan, from 0
/// @param x latents (B, C, H, W) in the plan's parameterization
/// @param history outputs of the previous steps, latest first
record StepContext(SamplingPlan plan, SamplingRun run, int index, Tensor x, List<ModelOutput> history) {
    SamplingPlan.Step step() { return plan.steps().get(index); }

    /// @throws IndexOutOfBoundsException at the last step
    SamplingPlan.Step nextStep() { return plan.steps().get(index + 1); }

    NoiseLevel from() { return step().from(); }

    NoiseLevel to() { return step().to(); }

    double sigma() { return from().sigma(); }

    double sigmaNext() { return to().sigma(); }

    /// Steps that remain, this one included.
    int stepsLeft() { return plan.steps().size() - index; }

    boolean isLast() { return stepsLeft() == 1; }

    /// Runs the network at the start of the step.
    ModelOutput denoise() throws Failure {
        return denoise(x, from(), step().timestep());
    }

    /// Runs the network inside the step, after the callback.
    ModelOutput denoiseMidStep(Tensor latents, NoiseLevel level) throws Failure {
        return denoiseMidStep(latents, level, level);
    }

    /// @param callbackLevel the noise level passed to the callback
    ModelOutput denoiseMidStep(Tensor latents, NoiseLevel level, NoiseLevel callbackLevel) throws Failure {
        double timestep = plan.sigmaToTimestep().timestep(level.sigma());
        return denoise(run.callback().onMidStep(callbackLevel, latents), level, timestep);
    }

    /// Runs the network at the end of the step, after the callback.
    ModelOutput denoiseAtEnd(Tensor latents) throws Failure {
        if (isLast()) return denoiseMidStep(latents, to());
        Tensor edited = run.callback().onMidStep(nextStep().from(), latents);
        return denoise(edited, to(), nextStep().timestep());
    }

    private ModelOutput denoise(Tensor latents, NoiseLevel level, double timestep) throws Failure {
        PredictionType predictionType = plan.predictionType();
        Tensor modelInput = plan.parameterization().scaleModelInput(latents, level);
        Tensor modelOutput = run.denoiser().predict(modelInput, timestep);
        return new ModelOutput(latents, level, predictionType.denoised(modelInput, modelOutput, level),
                predictionType.epsilon(modelInput, modelOutput, level), modelOutput);
    }

    /// This output and the history, latest first.
    List<ModelOutput> historyWith(ModelOutput output) {
        return Stream.concat(Stream.of(output), history.stream()).toList();
    }

    /// Standard normal noise of the latents' shape.
    Tensor drawNoise() {
        return run.noiseSource().draw(x.shape());
    }
}
