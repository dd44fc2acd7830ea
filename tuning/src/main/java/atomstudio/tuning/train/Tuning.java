package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;

/// Tunes a model on a person's pictures: makes a run folder, or goes on with one.
public final class Tuning {
    private final Machine machine;

    public Tuning(Machine machine) {
        this.machine = machine;
    }

    /// Makes the run, or resumes it where it stopped; a finished run gives its result again.
    /// @throws Failure.Occupied when the run is going on in another process
    /// @throws Failure.Incompatible when the folder holds a run of other settings; more steps are allowed
    /// @throws Failure.Diverged when loss or gradients leave the numbers; the last good ones are kept
    public TuneOutcome run(TuneRequest request, Path run, Control control, TuneListener listener) throws Failure {
        throw new UnsupportedOperationException("training on " + machine.device() + " comes next");
    }

    /// Goes on with a run as its own description says.
    public TuneOutcome resume(Path run, Control control, TuneListener listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        return run(folder.info().request(folder.pictures()), run, control, listener);
    }
}
