package atomstudio.app.process;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.TrainingEstimate;

/// Says what a run would take, without making it. For jobs: it takes seconds.
@FunctionalInterface
public interface Estimator {
    TrainingEstimate estimate(RunSpec spec, Cancellation cancellation) throws Failure, InterruptedException;
}
