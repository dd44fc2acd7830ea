package atomstudio.app.jobs;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.export.Base;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.train.Machine;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.RunInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What a run has learned, written to a file of its own.
/// @param step    steps that went into it
/// @param steps   steps that the run was to have
/// @param left    what of the adapter the file does not hold; empty when it holds all
public record RunExport(Path file, int step, int steps, long numbers, Optional<String> left) {
    /// What becomes of a file that is there already.
    public enum Existing { REFUSE, REPLACE }

    /// Writes a finished run's adapter, or what an unfinished one's last checkpoint holds.
    ///
    /// @throws Failure.Unreadable where there is no run, or no checkpoint yet
    /// @throws Failure.Occupied where the file is there and is not to be replaced
    /// @throws Failure.Incompatible where the format has no place for what the run learned
    public static RunExport write(Path run, Path file, Existing existing, ExportFormat format, Machine machine) throws Failure {
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
        Base base = new Base(info.base().model(machine.vocabularies()), machine.hashes(), machine.torch());
        ExportFormat.Written written = format.write(adapter, base, file);
        return new RunExport(file, adapter.training().steps(), info.training().steps(), written.numbers(), written.left());
    }

    /// Whether all steps went into it.
    public boolean finished() {
        return step == steps;
    }

    /// What is worth knowing beside the file: that the run is not finished, that the file does not hold everything; empty if neither.
    public String remark() {
        String unfinished = finished() ? "" : "The run is not finished: this is its last checkpoint, after step %d of %d.".formatted(step, steps);
        return left.map(more -> (unfinished + " " + more).strip()).orElse(unfinished);
    }
}
