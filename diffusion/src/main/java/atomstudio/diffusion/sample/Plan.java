package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A sampler and the schedule made for it: all that a model's config and a person's choices decide.
public record Plan(Sampler sampler, Schedule schedule) {
    /// No sampler looks further back.
    private static final int REMEMBERED = 3;

    /// The one loop of all samplers: step, edit, tell.
    public Sampled run(Walk walk) throws Failure {
        Tensor x = walk.start().first(schedule);
        List<Step> steps = schedule.steps();
        List<Answer> past = new ArrayList<>();
        int done = 0;
        for (Step step : steps) {
            Stepped stepped = sampler.step(new Moment(step, x, List.copyOf(past), steps.subList(++done, steps.size()), new Moment.Outside(walk, schedule)));
            x = walk.between().between(step, stepped.x());
            past.addFirst(stepped.said());
            if (past.size() > REMEMBERED) past.removeLast();
            if (walk.listener().after(new Progress(done, x, stepped.said().clean())) == Next.STOP) return new Sampled.Cancelled(done);
        }
        return new Sampled.Finished(x);
    }

    /// Only the last steps, from the noise of their first: what is left to do when a walk starts from a picture. Samplers that look back begin anew there.
    /// @param count 1 to the plan's steps
    public Plan last(int count) {
        return new Plan(sampler, schedule.last(count));
    }
}
