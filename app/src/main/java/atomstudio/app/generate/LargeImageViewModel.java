package atomstudio.app.generate;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// The gallery image that is shown large, and navigation to other seeds and rows.
public final class LargeImageViewModel {
    /// The image with its place in the gallery.
    public record ShownImage(GalleryRow row, int column, RowGenerator.GeneratedImage image) {
        public String title() {
            return row.title() + " · seed " + Seed.format(row.cells().get(column).seed());
        }
    }

    private final Jobs jobs;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final GenerateViewModel generate;
    private final ReadOnlyObjectWrapper<@Nullable ShownImage> shown = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper message = new ReadOnlyStringWrapper("");

    public LargeImageViewModel(Jobs jobs, FileChoosers choosers, DesktopActions desktop, GenerateViewModel generate) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.desktop = desktop;
        this.generate = generate;
    }

    /// Null if none is open.
    public ReadOnlyObjectProperty<@Nullable ShownImage> shown() {
        return shown.getReadOnlyProperty();
    }

    /// Result of saving or copying.
    public ReadOnlyStringProperty message() {
        return message.getReadOnlyProperty();
    }

    public void open(GalleryRow row, int column) {
        find(row, column).ifPresent(this::show);
    }

    public void close() {
        shown.set(null);
        message.set("");
    }

    /// Moves to the nearest row in that direction that has an image of the same seed.
    public void moveRow(int delta) {
        ShownImage current = shown.get();
        if (current == null) return;
        int row = generate.rows().indexOf(current.row);
        for (int next = row + delta; next >= 0 && next < generate.rows().size(); next += delta) {
            Optional<ShownImage> found = find(generate.rows().get(next), current.column);
            if (found.isPresent()) {
                show(found.get());
                return;
            }
        }
    }

    public void moveColumn(int delta) {
        ShownImage current = shown.get();
        if (current != null) find(current.row, current.column + delta).ifPresent(this::show);
    }

    private void show(ShownImage next) {
        shown.set(next);
        message.set("");
    }

    private static Optional<ShownImage> find(GalleryRow row, int column) {
        if (column < 0 || column >= row.cells().size()) return Optional.empty();
        return Optional.ofNullable(row.cells().get(column).image()).map(image -> new ShownImage(row, column, image));
    }

    /// Saves a PNG with its generation settings to a chosen file.
    public void save() {
        ShownImage current = shown.get();
        if (current == null) return;
        String name = (current.row.title() + "-" + Seed.format(current.row.cells().get(current.column).seed()))
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N}]+", "-") + ".png";
        choosers.saveFile("Save image", name).ifPresent(file -> {
            this.message.set("Saving…");
            jobs.start("Saving " + file, cancellation -> {
                PngWriter.write(file, current.image.image(), current.image.metadata());
                return file;
            }, outcome -> this.message.set(switch (outcome) {
                case JobOutcome.Succeeded<Path>(Path saved) -> "Saved to " + saved;
                case JobOutcome.Failed<Path>(String message) -> message;
                case JobOutcome.Cancelled<Path>() -> "";
            }));
        });
    }

    /// Uses the image as the source of image to image.
    public void useAsSource() {
        ShownImage current = shown.get();
        if (current == null) return;
        generate.source().setImage(current.title(), current.image.image());
        close();
    }

    public void copySettings() {
        ShownImage current = shown.get();
        if (current == null) return;
        desktop.copyToClipboard(current.image.metadata().infotext().format());
        message.set("Settings copied to the clipboard.");
    }
}
