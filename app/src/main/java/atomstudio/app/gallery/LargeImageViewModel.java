package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DesktopActions;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// The image that is shown large: navigation, comparison with the base model's image, and what can be done with it.
public final class LargeImageViewModel {
    /// @param pixels null until they are read
    public record ShownImage(GalleryImage image, @Nullable RgbImage pixels) {}

    /// What the pages do with an image.
    public interface ImageActions {
        /// The images in the rows of the current page.
        List<List<GalleryImage>> rows();

        /// Generates similar images: the image as source, new seeds.
        void generateVariations(GalleryImage image);

        void useAsSource(GalleryImage image);

        /// Restores the settings that the image was made with.
        void restoreSettings(GalleryImage image);
    }

    private final Jobs jobs;
    private final FileChoosers choosers;
    private final DesktopActions desktop;
    private final GalleryViewModel gallery;
    private final ImageActions actions;
    private final ReadOnlyObjectWrapper<@Nullable ShownImage> shown = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<@Nullable ShownImage> compared = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyStringWrapper message = new ReadOnlyStringWrapper("");
    /// The images that the arrow keys move over; null: all that the strip shows.
    private @Nullable List<GalleryImage> sequence;

    public LargeImageViewModel(Jobs jobs, FileChoosers choosers, DesktopActions desktop, GalleryViewModel gallery,
            ImageActions actions) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.desktop = desktop;
        this.gallery = gallery;
        this.actions = actions;
    }

    /// Null if none is open.
    public ReadOnlyObjectProperty<@Nullable ShownImage> shown() {
        return shown.getReadOnlyProperty();
    }

    /// The image to compare with: the base model's of the same prompt and seed, or else the one shown before. Null if
    /// there is none.
    public ReadOnlyObjectProperty<@Nullable ShownImage> compared() {
        return compared.getReadOnlyProperty();
    }

    /// Result of saving or copying.
    public ReadOnlyStringProperty message() {
        return message.getReadOnlyProperty();
    }

    public ImageActions actions() {
        return actions;
    }

    public GalleryViewModel gallery() {
        return gallery;
    }

    /// Opens an image; the arrow keys move over the images of the strip.
    public void open(GalleryImage image) {
        sequence = null;
        openAlone(image);
    }

    /// Opens an image of a row; the arrow keys move over these images.
    public void open(GalleryImage image, List<GalleryImage> row) {
        sequence = List.copyOf(row);
        openAlone(image);
    }

    /// An image that was open before is not one to compare with.
    private void openAlone(GalleryImage image) {
        close();
        show(image);
    }

    public void close() {
        shown.set(null);
        compared.set(null);
        message.set("");
    }

    /// Moves over the strip, or over the row that the image was opened from.
    public void moveColumn(int delta) {
        move(sequence == null ? gallery.shown() : sequence, delta);
    }

    /// Moves to the nearest row in that direction that has an image of the same prompt and seed, or else of the same
    /// seed.
    public void moveRow(int delta) {
        ShownImage current = shown.get();
        if (current == null) return;
        List<List<GalleryImage>> rows = actions.rows();
        int row = 0;
        while (row < rows.size() && !rows.get(row).contains(current.image)) row++;
        if (row == rows.size()) return;
        int column = rows.get(row).indexOf(current.image);
        for (int next = row + delta; next >= 0 && next < rows.size(); next += delta) {
            Optional<GalleryImage> found = sameColumn(rows.get(next), current.image, column);
            if (found.isEmpty()) continue;
            sequence = rows.get(next);
            show(found.get());
            return;
        }
    }

    /// Images of a column have the same base order, unless settings differ, as in an X/Y grid.
    private static Optional<GalleryImage> sameColumn(List<GalleryImage> row, GalleryImage image, int column) {
        String base = image.tags().baseOrder();
        Optional<GalleryImage> sameOrder = row.stream()
                .filter(one -> !base.isEmpty() && one.tags().baseOrder().equals(base))
                .findFirst();
        if (sameOrder.isPresent()) return sameOrder;
        List<GalleryImage> sameSeed = row.stream().filter(one -> one.seed().equals(image.seed())).toList();
        return column < row.size() && sameSeed.contains(row.get(column)) ? Optional.of(row.get(column))
                : sameSeed.stream().findFirst();
    }

    private void move(List<GalleryImage> images, int delta) {
        ShownImage current = shown.get();
        int index = current == null ? -1 : images.indexOf(current.image);
        if (index >= 0 && index + delta >= 0 && index + delta < images.size()) show(images.get(index + delta));
    }

    private void show(GalleryImage next) {
        ShownImage before = shown.get();
        message.set("");
        shown.set(new ShownImage(next, null));
        Optional<GalleryImage> base = gallery.find(next.tags().baseOrder()).filter(image -> !image.equals(next));
        if (base.isPresent()) compared.set(new ShownImage(base.get(), null));
        else if (before != null && !before.image.equals(next)) compared.set(before);
        read(next, pixels -> replace(shown, next, pixels));
        base.ifPresent(image -> read(image, pixels -> replace(compared, image, pixels)));
    }

    private void read(GalleryImage image, Consumer<RgbImage> listener) {
        jobs.start(text("gallery.reading", image.file().getFileName()), cancellation -> image.read(), listener,
                message::set);
    }

    private static void replace(ReadOnlyObjectWrapper<@Nullable ShownImage> property, GalleryImage image,
            RgbImage pixels) {
        ShownImage now = property.get();
        if (now != null && now.image.equals(image)) property.set(new ShownImage(image, pixels));
    }

    private void withShown(Consumer<GalleryImage> action) {
        ShownImage current = shown.get();
        if (current != null) action.accept(current.image);
    }

    /// Saves a copy with its generation settings and adapters to a chosen file.
    public void save() {
        withShown(image -> {
            String name = image.title().toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "-") + ".png";
            choosers.saveFile(text("gallery.save-image-2"), name).ifPresent(file -> save(image, file));
        });
    }

    private void save(GalleryImage image, Path file) {
        message.set(text("gallery.saving"));
        jobs.start(text("gallery.saving-2", file), cancellation -> {
            if (image.unsaved().isPresent())
                PngWriter.write(file, image.unsaved().get(), new ImageMetadata(image.infotext(), List.of()));
            else
                AtomicFile.write(file, out -> Files.copy(image.file(), out));
            return file;
        }, outcome -> this.message.set(switch (outcome) {
            case JobOutcome.Succeeded<Path>(Path saved) -> text("gallery.saved-to", saved);
            case JobOutcome.Failed<Path>(String reason) -> reason;
            case JobOutcome.Cancelled<Path>() -> "";
        }));
    }

    public void useAsSource() {
        withShown(image -> {
            close();
            actions.useAsSource(image);
        });
    }

    public void restoreSettings() {
        withShown(image -> {
            close();
            actions.restoreSettings(image);
        });
    }

    public void generateVariations() {
        withShown(image -> {
            close();
            actions.generateVariations(image);
        });
    }

    public void copySettings() {
        withShown(image -> {
            desktop.copyToClipboard(image.infotext().format());
            message.set(text("gallery.settings-copied-to-the-clipboard"));
        });
    }

    public void copyImage() {
        ShownImage current = shown.get();
        if (current == null || current.pixels == null) return;
        desktop.copyImage(current.pixels);
        message.set(text("gallery.image-copied-to-the-clipboard"));
    }

    public void showInFolder() {
        withShown(this::showInFolder);
    }

    void showInFolder(GalleryImage image) {
        desktop.showInFileManager(image.file());
    }

    public void toggleStar() {
        withShown(gallery::toggleStar);
    }

    /// Moves the image to the trash and shows the next one.
    public void delete() {
        ShownImage current = shown.get();
        if (current == null) return;
        List<GalleryImage> images = List.copyOf(sequence == null ? gallery.shown() : sequence);
        int index = images.indexOf(current.image);
        List<GalleryImage> rest = images.stream().filter(image -> !image.equals(current.image)).toList();
        if (sequence != null) sequence = rest;
        close();
        if (!rest.isEmpty()) show(rest.get(Math.clamp(index, 0, rest.size() - 1)));
        gallery.delete(List.of(current.image));
    }
}
