package atomstudio.app.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.ConfigFile;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportPlan;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/// An exported adapter of a run.
/// @param step       the exported checkpoint
/// @param totalSteps of the run
/// @param parameters in the file
/// @param omitted    a sentence on what the file format cannot hold; empty if it holds everything
public record AdapterExport(Path file, int step, int totalSteps, long parameters, Optional<String> omitted) {
    /// What to do if the file exists.
    public enum IfExists { FAIL, REPLACE }

    /// Exports the adapter of a finished run, or the last checkpoint of an unfinished one, with its preview in the
    /// metadata, and preview and trigger words in files beside it ([AdapterSideFiles]).
    /// @throws Failure.Unreadable if there is no run or no checkpoint
    /// @throws Failure.Conflict if the file exists and is not to be replaced
    /// @throws Failure.Incompatible if the format cannot hold the run's method
    public static AdapterExport write(Path run, Path file, IfExists existing, AdapterWriter format,
            TrainingEnvironment machine) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        requireFree(file, existing);
        AdapterFile adapter = adapter(run, folder);
        ExportBaseModel base = baseModel(folder, info, machine)
                .withThumbnail(AdapterSideFiles.thumbnail(run.resolve("previews")));
        ExportFormat.ExportResult written = format.write(adapter, base, file);
        AdapterSideFiles.write(run.resolve("previews"), adapter.trigger().text(), file);
        return new AdapterExport(file, adapter.training().steps(), info.config().steps(), written.parameterCount(),
                written.omitted());
    }

    /// What each format of a run's adapter would be.
    /// @param onSizes gets the plan without the approximate format, which takes longer
    /// @throws Failure.Unreadable if there is no run or no checkpoint
    public static ExportPlan plan(Path run, TrainingEnvironment machine, Consumer<ExportPlan> onSizes) throws Failure {
        RunFolder folder = new RunFolder(run);
        AdapterFile adapter = adapter(run, folder);
        ExportBaseModel base = baseModel(folder, folder.info(), machine);
        ExportPlan sizes = ExportPlan.sizes(adapter, base);
        onSizes.accept(sizes);
        return sizes.withApproximate(adapter, base);
    }

    private static AdapterFile adapter(Path run, RunFolder folder) throws Failure {
        return folder.latestAdapter()
                .orElseThrow(() -> new Failure.Unreadable(
                        run + ": the run has no checkpoint to export; resume it first"));
    }

    /// A run has a copy of the adapter that was merged into its base model.
    private static ExportBaseModel baseModel(RunFolder folder, RunInfo info, TrainingEnvironment machine) {
        return new ExportBaseModel(info.baseModel().model(machine.tokenizerFolders()), machine.baseModelHashes(),
                machine.torchSettings(),
                info.baseModel()
                        .merged()
                        .map(merged -> folder.mergedAdapter().resolve(merged.fileName()))
                        .stream()
                        .toList());
    }

    /// Writes the settings of a run as a TOML file for `train --config`.
    /// @throws Failure.Unreadable if there is no run
    /// @throws Failure.Conflict if the file exists and is not to be replaced
    public static void writeSettings(Path run, Path file, IfExists existing) throws Failure {
        RunInfo info = new RunFolder(run).info();
        requireFree(file, existing);
        String text = ConfigFile.text(info.method(), info.config().requested(),
                Optional.of(new Trigger(info.subject().token(), info.subject().className())));
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// @throws Failure.Conflict if the file exists and is not to be replaced; a folder's writer checks its content
    public static void requireFree(Path file, IfExists existing) throws Failure.Conflict {
        if (Files.isRegularFile(file) && existing == IfExists.FAIL)
            throw new Failure.Conflict(file + ": already exists", Failure.Remedy.CHOOSE_OTHER_FILE);
    }

    /// Whether the run was finished.
    public boolean isFinished() { return step == totalSteps; }

    /// A warning if the run is not finished or the file does not hold everything; else empty.
    public String warning() {
        String unfinished = isFinished() ? ""
                : "The run is not finished; exported its last checkpoint, after step %d of %d.".formatted(step,
                        totalSteps);
        return omitted.map(rest -> (unfinished + " " + rest).strip()).orElse(unfinished);
    }
}
