package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import java.nio.file.Path;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// Exports the comparison that is shown, in the background, after measuring what was not measured.
public final class CompareExportViewModel {
    /// @param file that was written; empty if none
    public record ExportNote(String text, Optional<Path> file) {
        static final ExportNote NONE = new ExportNote("", Optional.empty());
    }

    public enum SheetFormat {
        PNG, HTML, CSV;

        public String title() {
            return switch (this) {
                case PNG -> text("compare.export.png");
                case HTML -> text("compare.export.html");
                case CSV -> text("compare.export.csv");
            };
        }
    }

    private final Jobs jobs;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final CompareViewModel comparison;
    private final ReadOnlyObjectWrapper<ExportNote> note = new ReadOnlyObjectWrapper<>(ExportNote.NONE);

    CompareExportViewModel(Jobs jobs, FileChoosers choosers, DesktopActions desktop, CompareViewModel comparison) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.desktop = desktop;
        this.comparison = comparison;
    }

    /// Result of the last export.
    public ReadOnlyObjectProperty<ExportNote> note() {
        return note.getReadOnlyProperty();
    }

    /// Exports to a chosen file, or a new folder in a chosen folder. Without all images it only states so.
    public void export(SheetFormat format) {
        CompareCells cells = comparison.cells().get();
        if (cells == null || !cells.isComplete()) {
            note.set(new ExportNote(text("compare.export.missing"), Optional.empty()));
            return;
        }
        String name = comparison.subject().get().title().replaceAll("[^\\p{L}\\p{N}]+", "-") + "-comparison";
        Optional<Path> target = switch (format) {
            case PNG -> choosers.saveFile(format.title(), name + ".png");
            case CSV -> choosers.saveFile(format.title(), name + ".csv");
            case HTML -> choosers.folder(text("compare.export.folder", name)).map(folder -> folder.resolve(name));
        };
        target.ifPresent(file -> comparison.metrics().measure(() -> write(format, file)));
    }

    private void write(SheetFormat format, Path target) {
        ModelSummary model = comparison.model().get();
        CompareMetrics.ShownRows shown = comparison.metrics().shown();
        if (model == null || shown == null || !shown.cells().isComplete()) return;
        CompareExport export = new CompareExport(model.name(), shown, comparison.metrics().scores().get());
        note.set(new ExportNote(text("compare.exporting"), Optional.empty()));
        jobs.start(text("compare.exporting"), cancellation -> switch (format) {
            case PNG -> {
                export.writeSheet(target);
                yield target;
            }
            case HTML -> export.writePage(target);
            case CSV -> {
                export.writeTable(target);
                yield target;
            }
        }, outcome -> note.set(switch (outcome) {
            case JobOutcome.Succeeded<Path>(Path file) ->
                    new ExportNote(text("compare.exported", file), Optional.of(file));
            case JobOutcome.Failed<Path>(String message) -> new ExportNote(message, Optional.empty());
            case JobOutcome.Cancelled<Path>() -> ExportNote.NONE;
        }));
    }

    /// Opens the exported file with the system's program.
    public void open() {
        note.get().file().ifPresent(desktop::open);
    }
}
