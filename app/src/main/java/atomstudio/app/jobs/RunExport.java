package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.RunInfo;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a run has learned, written to a file of its own.
/// @param step  steps that went into it
/// @param steps steps that the run was to have
public record RunExport(Path file, int step, int steps, long numbers) {
    /// What becomes of a file that is there already.
    public enum Existing { REFUSE, REPLACE }

    /// Writes a finished run's adapter, or what an unfinished one's last checkpoint holds.
    ///
    /// @throws Failure.Unreadable where there is no run, or no checkpoint yet
    /// @throws Failure.Occupied where the file is there and is not to be replaced
    public static RunExport write(Path run, Path file, Existing existing) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        if (Files.isDirectory(file)) {
            throw new Failure.Occupied(file + ": is a folder; name a file in it");
        }
        if (Files.exists(file) && existing == Existing.REFUSE) {
            throw new Failure.Occupied(file + ": is there already; choose another file or add --overwrite");
        }
        AdapterFile adapter = folder.trained().orElseThrow(() -> new Failure.Unreadable(
                run + ": nothing to export yet: the run has no checkpoint; go on with it first"));
        adapter.write(file);
        return new RunExport(file, adapter.training().steps(), info.training().steps(), adapter.numbers());
    }

    /// Whether all steps went into it.
    public boolean finished() {
        return step == steps;
    }

    /// What is worth knowing beside the file: that the run is not finished; empty if it is.
    public String remark() {
        return finished() ? "" : "The run is not finished: this is its last checkpoint, after step %d of %d.".formatted(step, steps);
    }
}
