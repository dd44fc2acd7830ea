package atomstudio.app.tune;

import atomstudio.diffusion.Failure;

/// Starts tuning in a process of its own.
@FunctionalInterface
public interface ProcessLauncher {
    TrainingProcess start(RunSpec spec) throws Failure;
}
