package atomstudio.app.export;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.app.tune.RunSummary;
import atomstudio.tuning.export.ExportFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import org.jspecify.annotations.Nullable;

/// Export of adapters: asks where to, writes, and says where the file went.
public final class ExportViewModel {
    /// What became of the last export; `file` is empty if nothing was written.
    public record Note(Path run, String text, Optional<Path> file) {}

    private final Jobs jobs;
    private final AdapterExporter exporter;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final ReadOnlyObjectWrapper<@Nullable Note> note = new ReadOnlyObjectWrapper<>();

    public ExportViewModel(Jobs jobs, AdapterExporter exporter, FileChoosers choosers, DesktopActions desktop) {
        this.jobs = jobs;
        this.exporter = exporter;
        this.choosers = choosers;
        this.desktop = desktop;
    }

    /// Null before the first.
    public ReadOnlyObjectProperty<@Nullable Note> note() {
        return note.getReadOnlyProperty();
    }

    /// What a run can be written as, this program's own format first.
    public List<ExportFormat> formats(RunSummary run) {
        return ExportFormat.of(run.order().chosen().method());
    }

    public void export(RunSummary run, ExportFormat format) {
        String name = run.folder().getFileName() + (format == ExportFormat.ATOMSTUDIO ? "" : "-" + format.option()) + ".safetensors";
        choosers.saveFile("Export " + format.words(), name).ifPresent(file -> {
            note.set(new Note(run.folder(), "Exporting…", Optional.empty()));
            jobs.start("Exporting " + file, cancellation -> exporter.export(run.folder(), file, format), outcome -> note.set(switch (outcome) {
                case Outcome.Done<String>(String remark) -> new Note(run.folder(), "Exported to " + file + (remark.isEmpty() ? "" : ". " + remark), Optional.of(file));
                case Outcome.Failed<String>(String message) -> new Note(run.folder(), message, Optional.empty());
                case Outcome.Cancelled<String>() -> new Note(run.folder(), "", Optional.empty());
            }));
        });
    }

    /// Opens the folder of the last export.
    public void showFile() {
        Note last = note.get();
        if (last != null) last.file().ifPresent(desktop::showInFileManager);
    }
}
