package atomstudio.app.tune;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.Estimate;

/// Says what a run would take, without making it. For jobs: it takes seconds.
@FunctionalInterface
public interface Estimator {
    Estimate estimate(RunSpec spec, Cancellation cancellation) throws Failure, InterruptedException;
}
