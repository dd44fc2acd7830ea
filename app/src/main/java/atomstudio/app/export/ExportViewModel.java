package atomstudio.app.export;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.runs.RunSummary;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.export.ExportFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import org.jspecify.annotations.Nullable;

/// Exports adapters to a chosen file in the background.
public final class ExportViewModel {
    /// Result of the last export.
    /// @param file empty if nothing was written
    public record ExportNote(Path run, String text, Optional<Path> file) {}

    private final Jobs jobs;
    private final Exporter exporter;
    private final FileChoosers fileChoosers;
    private final DesktopActions desktopActions;
    private final ReadOnlyObjectWrapper<@Nullable ExportNote> exportNote = new ReadOnlyObjectWrapper<>();

    public ExportViewModel(Jobs jobs, Exporter exporter, FileChoosers fileChoosers, DesktopActions desktopActions) {
        this.jobs = jobs;
        this.exporter = exporter;
        this.fileChoosers = fileChoosers;
        this.desktopActions = desktopActions;
    }

    /// Null before the first export.
    public ReadOnlyObjectProperty<@Nullable ExportNote> exportNote() {
        return exportNote.getReadOnlyProperty();
    }

    /// Formats that can hold the run's adapter, this program's format first.
    public List<ExportFormat> formats(RunSummary run) {
        return ExportFormat.of(run.spec().choices().method());
    }

    public void export(RunSummary run, ExportFormat format) {
        String name = format.fileName(run.folder().getFileName().toString());
        fileChoosers.saveFile("Export " + format.description(), name)
                .ifPresent(file -> export(run, file, () -> exporter.export(run.folder(), file, format)));
    }

    /// Exports the run's settings for `train --config` and for the training form.
    public void exportSettings(RunSummary run) {
        fileChoosers.saveFile("Export training settings", run.folder().getFileName() + ".toml")
                .ifPresent(file -> export(run, file, () -> {
                    AdapterExport.writeSettings(run.folder(), file, AdapterExport.IfExists.REPLACE);
                    return "";
                }));
    }

    /// @param work returns a warning, or empty
    private void export(RunSummary run, Path file, Callable<String> work) {
        exportNote.set(new ExportNote(run.folder(), "Exporting…", Optional.empty()));
        jobs.start("Exporting " + file, cancellation -> work.call(),
                outcome -> exportNote.set(switch (outcome) {
                    case JobOutcome.Succeeded<String>(String warning) -> new ExportNote(run.folder(),
                            "Exported to " + file + (warning.isEmpty() ? "" : ". " + warning), Optional.of(file));
                    case JobOutcome.Failed<String>(String message) ->
                            new ExportNote(run.folder(), message, Optional.empty());
                    case JobOutcome.Cancelled<String>() -> new ExportNote(run.folder(), "", Optional.empty());
                }));
    }

    /// Opens the folder of the last export.
    public void showInFolder() {
        ExportNote last = exportNote.get();
        if (last != null) last.file().ifPresent(desktopActions::showInFileManager);
    }

    /// Writes a run's adapter to a file.
    @FunctionalInterface
    public interface Exporter {
        /// @return a warning, or empty
        String export(Path run, Path file, ExportFormat format) throws Failure;
    }
}
