package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A sampler and the schedule made for it: all that a model's config and a person's choices decide.
public record SamplingPlan(Sampler sampler, Schedule schedule) {
    /// No sampler looks further back.
    private static final int MAX_HISTORY = 3;

    /// The one loop of all samplers: step, edit, tell.
    public SamplingResult run(SamplingRun run) throws Failure {
        Tensor x = run.initialLatents().prepare(schedule);
        List<Schedule.Step> steps = schedule.steps();
        List<ModelOutput> history = new ArrayList<>();
        int done = 0;
        for (Schedule.Step step : steps) {
            Sampler.StepResult result = sampler.step(new StepContext(step, x, List.copyOf(history),
                    steps.subList(++done, steps.size()), new StepContext.RunContext(run, schedule)));
            x = run.callback().onStepEnd(step, result.x());
            history.addFirst(result.output());
            if (history.size() > MAX_HISTORY) history.removeLast();
            if (run.listener().onStep(new StepListener.SamplingProgress(done, x, result.output().denoised()))
                    == Next.STOP)
                return new SamplingResult.Cancelled(done);
        }
        return new SamplingResult.Finished(x);
    }

    /// Only the last steps, from the noise of their first: what is left to do when a walk starts from a picture.
    /// Samplers that look back begin anew there.
    /// @param count 1 to the plan's steps
    public SamplingPlan lastSteps(int count) {
        return new SamplingPlan(sampler, schedule.lastSteps(count));
    }
}
