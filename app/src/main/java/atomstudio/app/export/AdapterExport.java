package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What a run has learned, written to a file of its own.
/// @param step    steps that went into it
/// @param totalSteps   steps that the run was to have
/// @param omitted    what of the adapter the file does not hold; empty when it holds all
public record AdapterExport(Path file, int step, int totalSteps, long parameters, Optional<String> omitted) {
    /// What becomes of a file that is there already.
    public enum IfExists { FAIL, REPLACE }

    /// Writes a finished run's adapter, or what an unfinished one's last checkpoint holds.
    ///
    /// @throws Failure.Unreadable where there is no run, or no checkpoint yet
    /// @throws Failure.Occupied where the file is there and is not to be replaced
    /// @throws Failure.Incompatible where the format has no place for what the run learned
    public static AdapterExport write(Path run, Path file, IfExists existing, ExportFormat format,
            TrainingEnvironment machine) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        if (Files.isDirectory(file)) {
            throw new Failure.Conflict(file + ": is a folder; name a file in it");
        }
        if (Files.exists(file) && existing == IfExists.FAIL) {
            throw new Failure.Conflict(file + ": is there already; choose another file or add --overwrite");
        }
        AdapterFile adapter = folder.latestAdapter()
                .orElseThrow(() -> new Failure.Unreadable(
                        run + ": nothing to export yet: the run has no checkpoint; go on with it first"));
        ExportBaseModel base = new ExportBaseModel(info.baseModel().model(machine.tokenizerFolders()),
                machine.baseModelHashes(), machine.torchSettings());
        ExportFormat.ExportResult written = format.write(adapter, base, file);
        return new AdapterExport(file, adapter.training().steps(), info.config().steps(), written.parameterCount(),
                written.omitted());
    }

    /// Whether all steps went into it.
    public boolean isFinished() { return step == totalSteps; }

    /// What is worth knowing beside the file: that the run is not finished, that the file does not hold everything;
    /// empty if neither.
    public String warning() {
        String unfinished = isFinished() ? ""
                : "The run is not finished: this is its last checkpoint, after step %d of %d.".formatted(step,
                        totalSteps);
        return omitted.map(rest -> (unfinished + " " + rest).strip()).orElse(unfinished);
    }
}
