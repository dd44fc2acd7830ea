package atomstudio.app.generate;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import org.jspecify.annotations.Nullable;

/// What pictures start from: a picture, where it may change, a second pass, and adapters that all rows wear.
/// Everything ends in the settings.
public final class SourceViewModel {
    private final Jobs jobs;
    private final FileChoosers choosers;
    private final GenerateViewModel generate;
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper missingSource = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable SourceImage> painting = new ReadOnlyObjectWrapper<>();

    SourceViewModel(Jobs jobs, FileChoosers choosers, GenerateViewModel generate) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.generate = generate;
    }

    /// Why a picture or a mask could not be taken.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Which picture is to be chosen, so that a restored one is made again; empty where none is.
    public ReadOnlyStringProperty missingSource() {
        return missingSource.getReadOnlyProperty();
    }

    /// Says that pictures start from noise until this one is chosen.
    public void requireSource(String description) {
        missingSource.set(description);
    }

    /// The picture on which a mask is being painted; null while none is.
    public ReadOnlyObjectProperty<@Nullable SourceImage> painting() {
        return painting.getReadOnlyProperty();
    }

    public void chooseImage() {
        choosers.images("A picture to start from").stream().findFirst().ifPresent(this::setImage);
    }

    /// Starts from a picture file.
    public void setImage(Path file) {
        problem.set("");
        jobs.start("Reading " + file, cancellation -> ImageFiles.read(file), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<RgbImage>(RgbImage image) -> setImage(file.getFileName().toString(), image);
                case JobOutcome.Failed<RgbImage>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<RgbImage>() -> {}
            }
        });
    }

    /// Starts from a picture that is here already.
    public void setImage(String name, RgbImage image) {
        problem.set("");
        missingSource.set("");
        update(new SourceSettings(Optional.of(new SourceImage(name, image, Optional.empty())),
                current().denoisingStrength(), current().hiresScale()));
    }

    public void removeImage() {
        problem.set("");
        missingSource.set("");
        update(new SourceSettings(Optional.empty(), current().denoisingStrength(), current().hiresScale()));
    }

    public void chooseMask() {
        Optional<SourceImage> source = current().image();
        if (source.isEmpty()) return;
        choosers.images("A mask: white where the picture may change").stream().findFirst().ifPresent(file -> {
            problem.set("");
            jobs.start("Reading " + file, cancellation -> Mask.read(file, source.get().image()), outcome -> {
                switch (outcome) {
                    case JobOutcome.Succeeded<Mask>(Mask mask) -> setMask(Optional.of(mask));
                    case JobOutcome.Failed<Mask>(String message) -> problem.set(message);
                    case JobOutcome.Cancelled<Mask>() -> {}
                }
            });
        });
    }

    /// Opens the picture to paint on.
    public void startPainting() {
        painting.set(current().image().orElse(null));
    }

    /// Takes what was painted; empty: the picture may change everywhere.
    public void finishPainting(Optional<Mask> mask) {
        painting.set(null);
        setMask(mask);
    }

    /// Leaves the mask as it was.
    public void cancelPainting() {
        painting.set(null);
    }

    private void setMask(Optional<Mask> mask) {
        current().image()
                .ifPresent(source -> update(
                        new SourceSettings(Optional.of(new SourceImage(source.name(), source.image(), mask)),
                                current().denoisingStrength(), current().hiresScale())));
    }

    public void setDenoisingStrength(double changed) {
        update(new SourceSettings(current().image(), changed, current().hiresScale()));
    }

    /// What a second pass multiplies the sides by; empty: no second pass.
    public void setHiresScale(OptionalDouble changed) {
        update(new SourceSettings(current().image(), current().denoisingStrength(), changed));
    }

    public void chooseAdapters() {
        List<SelectedAdapter> adapters = new ArrayList<>(generate.settings().get().adapters());
        for (Path file : choosers.adapters("Adapters to wear")) {
            if (adapters.stream().noneMatch(one -> one.file().equals(file))) adapters.add(new SelectedAdapter(file, 1));
        }
        generate.settings(generate.settings().get().withAdapters(adapters));
    }

    public void setAdapterWeight(Path file, double changed) {
        generate.settings(generate.settings()
                .get()
                .withAdapters(generate.settings()
                        .get()
                        .adapters()
                        .stream()
                        .map(one -> one.file().equals(file) ? new SelectedAdapter(file, changed) : one)
                        .toList()));
    }

    public void removeAdapter(Path file) {
        generate.settings(generate.settings()
                .get()
                .withAdapters(generate.settings()
                        .get()
                        .adapters()
                        .stream()
                        .filter(one -> !one.file().equals(file))
                        .toList()));
    }

    private SourceSettings current() {
        return generate.settings().get().source();
    }

    private void update(SourceSettings changed) {
        generate.settings(generate.settings().get().withSource(changed));
    }
}
