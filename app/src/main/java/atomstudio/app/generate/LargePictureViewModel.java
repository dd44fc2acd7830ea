package atomstudio.app.generate;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// One picture of the galleries, large. Up and down goes to the same seed in another row, left and right to another seed.
public final class LargePictureViewModel {
    /// The picture in view and where it stands.
    public record Shown(GalleryRow row, int column, Made made) {
        public String title() {
            return row.title() + " · seed " + Seed.format(row.cells().get(column).seed());
        }
    }

    private final Jobs jobs;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final GenerateViewModel galleries;
    private final ReadOnlyObjectWrapper<@Nullable Shown> shown = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper note = new ReadOnlyStringWrapper("");

    public LargePictureViewModel(Jobs jobs, FileChoosers choosers, DesktopActions desktop, GenerateViewModel galleries) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.desktop = desktop;
        this.galleries = galleries;
    }

    /// Null while none is open.
    public ReadOnlyObjectProperty<@Nullable Shown> shown() {
        return shown.getReadOnlyProperty();
    }

    /// What became of saving or copying, in one line.
    public ReadOnlyStringProperty note() {
        return note.getReadOnlyProperty();
    }

    public void open(GalleryRow row, int column) {
        at(row, column).ifPresent(this::show);
    }

    public void close() {
        shown.set(null);
        note.set("");
    }

    /// The nearest row in that direction that has a picture of the same seed.
    public void moveRow(int by) {
        Shown now = shown.get();
        if (now == null) return;
        int row = galleries.rows().indexOf(now.row);
        for (int next = row + by; next >= 0 && next < galleries.rows().size(); next += by) {
            Optional<Shown> there = at(galleries.rows().get(next), now.column);
            if (there.isPresent()) {
                show(there.get());
                return;
            }
        }
    }

    public void moveColumn(int by) {
        Shown now = shown.get();
        if (now != null) at(now.row, now.column + by).ifPresent(this::show);
    }

    private void show(Shown next) {
        shown.set(next);
        note.set("");
    }

    private static Optional<Shown> at(GalleryRow row, int column) {
        if (column < 0 || column >= row.cells().size()) return Optional.empty();
        return Optional.ofNullable(row.cells().get(column).made()).map(made -> new Shown(row, column, made));
    }

    /// Asks where to and writes a PNG that carries how it was made.
    public void save() {
        Shown now = shown.get();
        if (now == null) return;
        String name = (now.row.title() + "-" + Seed.format(now.row.cells().get(now.column).seed())).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "-") + ".png";
        choosers.saveFile("Save the picture", name).ifPresent(file -> {
            note.set("Saving…");
            jobs.start("Saving " + file, cancellation -> {
                PngWriter.write(file, now.made.picture(), now.made.making());
                return file;
            }, outcome -> note.set(switch (outcome) {
                case Outcome.Done<Path>(Path saved) -> "Saved to " + saved;
                case Outcome.Failed<Path>(String message) -> message;
                case Outcome.Cancelled<Path>() -> "";
            }));
        });
    }

    /// Makes others from it.
    public void startFrom() {
        Shown now = shown.get();
        if (now == null) return;
        galleries.source().take(now.title(), now.made.picture());
        close();
    }

    public void copyParameters() {
        Shown now = shown.get();
        if (now == null) return;
        desktop.copyToClipboard(now.made.making().text().format());
        note.set("The settings are in the clipboard.");
    }
}
