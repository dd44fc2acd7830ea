package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.UnaryOperator;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// Changes the file-based image settings: source image and mask; and the hires pass.
public final class SourceViewModel {
    private final Jobs jobs;
    private final FileChoosers choosers;
    private final NoticesViewModel notices;
    private final GenerateViewModel generate;
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper missingSource = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable SourceImage> painting = new ReadOnlyObjectWrapper<>();

    SourceViewModel(Jobs jobs, FileChoosers choosers, NoticesViewModel notices,
            GenerateViewModel generate) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.notices = notices;
        this.generate = generate;
    }

    /// Why an image or a mask could not be read.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// The source image that restored settings need; empty if none.
    public ReadOnlyStringProperty missingSource() {
        return missingSource.getReadOnlyProperty();
    }

    /// Shows that an image must be chosen; until then generation is text to image.
    public void requireSource(String description) {
        missingSource.set(description);
    }

    /// The image whose mask is being painted; null if none.
    public ReadOnlyObjectProperty<@Nullable SourceImage> painting() {
        return painting.getReadOnlyProperty();
    }

    public void chooseImage() {
        choosers.images(text("generate.choose-a-source-image")).stream().findFirst().ifPresent(this::setImage);
    }

    public void setImage(Path file) {
        problem.set("");
        jobs.start(text("generate.reading", file),
                cancellation -> new SourceImage(file.getFileName().toString(), ImageFiles.read(file),
                        Optional.empty()),
                image -> setImage(Optional.of(image)), problem::set);
    }

    public void setImage(String name, RgbImage image) {
        setImage(Optional.of(new SourceImage(name, image, Optional.empty())));
    }

    /// Uses an image of the gallery.
    public void setImage(GalleryImage image) {
        setImage(image, () -> {});
    }

    /// @param onSet called once the image is the source
    public void setImage(GalleryImage image, Runnable onSet) {
        problem.set("");
        jobs.start(text("generate.reading", image.file()),
                cancellation -> new SourceImage(image.file().getFileName().toString(), image.read(),
                        Optional.empty()),
                source -> {
                    setImage(Optional.of(source));
                    onSet.run();
                }, problem::set);
    }

    public void removeImage() {
        Optional<SourceImage> removed = current().image();
        setImage(Optional.empty());
        removed.ifPresent(source -> offerUndo(text("generate.removed-the-source-image", source.name()), source));
    }

    private void offerUndo(String text, SourceImage before) {
        notices.offerUndo(text, () -> setImage(Optional.of(before)));
    }

    private void setImage(Optional<SourceImage> image) {
        problem.set("");
        missingSource.set("");
        update(now -> now.withImage(image));
    }

    public void chooseMask() {
        Optional<SourceImage> source = current().image();
        if (source.isEmpty()) return;
        choosers.images(text("generate.choose-a-mask-white-the-area")).stream().findFirst().ifPresent(file -> {
            problem.set("");
            jobs.start(text("generate.reading", file), cancellation -> Mask.read(file, source.get().image()),
                    mask -> setMask(Optional.of(mask)), problem::set);
        });
    }

    public void startPainting() {
        painting.set(current().image().orElse(null));
    }

    /// @param mask empty: the whole image may change
    public void finishPainting(Optional<Mask> mask) {
        painting.set(null);
        setMask(mask);
    }

    public void cancelPainting() {
        painting.set(null);
    }

    public void removeMask() {
        setMask(Optional.empty());
    }

    private void setMask(Optional<Mask> mask) {
        Optional<SourceImage> removed = current().image().filter(now -> mask.isEmpty() && now.mask().isPresent());
        removed.ifPresent(source -> offerUndo(text("generate.removed-the-mask-of", source.name()), source));
        update(now -> now.withImage(now.image().map(source -> new SourceImage(source.name(), source.image(), mask))));
    }

    public void setDenoisingStrength(double changed) {
        update(now -> now.withDenoisingStrength(changed));
    }

    /// @param changed factor for both sides; empty: no hires pass
    public void setHiresScale(OptionalDouble changed) {
        update(now -> now.withHiresScale(changed));
    }

    private SourceSettings current() {
        return generate.settings().get().source();
    }

    private void update(UnaryOperator<SourceSettings> change) {
        generate.updateSettings(now -> now.withSource(change.apply(now.source())));
    }
}
