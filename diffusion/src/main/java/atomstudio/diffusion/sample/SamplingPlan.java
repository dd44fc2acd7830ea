package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A sampler and its schedule: everything that follows from a model's config and the user's settings.
public record SamplingPlan(Sampler sampler, Schedule schedule) {
    /// Longest history that any sampler needs.
    private static final int MAX_HISTORY = 3;

    /// The sampling loop: step, callback, listener.
    public SamplingResult run(SamplingRun run) throws Failure {
        Tensor x = run.initialLatents().prepare(schedule);
        List<ModelOutput> history = new ArrayList<>();
        for (int i = 0; i < schedule.size(); i++) {
            StepContext context = new StepContext(run, schedule, i, x, List.copyOf(history));
            Sampler.StepResult result = sampler.step(context);
            x = run.callback().onStepEnd(context.step(), result.x());
            history.addFirst(result.output());
            if (history.size() > MAX_HISTORY) history.removeLast();
            StepListener.SamplingProgress progress = new StepListener.SamplingProgress(i + 1, x,
                    result.output().denoised());
            if (run.listener().onStep(progress) == Next.STOP) return new SamplingResult.Cancelled(i + 1);
        }
        return new SamplingResult.Finished(x);
    }

    /// Only the last steps, as img2img runs them. Multistep samplers start there without history.
    /// @param count 1 to the number of steps
    public SamplingPlan lastSteps(int count) {
        return new SamplingPlan(sampler, schedule.lastSteps(count));
    }
}
