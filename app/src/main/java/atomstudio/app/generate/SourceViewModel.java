package atomstudio.app.generate;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.generate.PictureSettings.Given;
import atomstudio.app.generate.PictureSettings.Start;
import atomstudio.app.generate.PictureSettings.Worn;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.jobs.Outcome;
import atomstudio.diffusion.picture.Mask;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
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

/// What pictures start from: a picture, where it may change, a second pass, and adapters that all rows wear. Everything ends in the settings.
public final class SourceViewModel {
    private final Jobs jobs;
    private final FileChoosers choosers;
    private final GenerateViewModel galleries;
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper needed = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<@Nullable Given> painting = new ReadOnlyObjectWrapper<>();

    SourceViewModel(Jobs jobs, FileChoosers choosers, GenerateViewModel galleries) {
        this.jobs = jobs;
        this.choosers = choosers;
        this.galleries = galleries;
    }

    /// Why a picture or a mask could not be taken.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Which picture is to be chosen, so that a restored one is made again; empty where none is.
    public ReadOnlyStringProperty needed() {
        return needed.getReadOnlyProperty();
    }

    /// Says that pictures start from noise until this one is chosen.
    public void need(String picture) {
        needed.set(picture);
    }

    /// The picture on which a mask is being painted; null while none is.
    public ReadOnlyObjectProperty<@Nullable Given> painting() {
        return painting.getReadOnlyProperty();
    }

    public void choosePicture() {
        choosers.images("A picture to start from").stream().findFirst().ifPresent(this::take);
    }

    /// Starts from a picture file.
    public void take(Path file) {
        problem.set("");
        jobs.start("Reading " + file, cancellation -> Pictures.read(file), outcome -> {
            switch (outcome) {
                case Outcome.Done<Picture>(Picture picture) -> take(file.getFileName().toString(), picture);
                case Outcome.Failed<Picture>(String message) -> problem.set(message);
                case Outcome.Cancelled<Picture>() -> { }
            }
        });
    }

    /// Starts from a picture that is here already.
    public void take(String name, Picture picture) {
        problem.set("");
        needed.set("");
        start(new Start(Optional.of(new Given(name, picture, Optional.empty())), now().denoise(), now().hires()));
    }

    public void remove() {
        problem.set("");
        needed.set("");
        start(new Start(Optional.empty(), now().denoise(), now().hires()));
    }

    public void chooseMask() {
        Optional<Given> given = now().given();
        if (given.isEmpty()) return;
        choosers.images("A mask: white where the picture may change").stream().findFirst().ifPresent(file -> {
            problem.set("");
            jobs.start("Reading " + file, cancellation -> Mask.read(file, given.get().picture()), outcome -> {
                switch (outcome) {
                    case Outcome.Done<Mask>(Mask mask) -> mask(Optional.of(mask));
                    case Outcome.Failed<Mask>(String message) -> problem.set(message);
                    case Outcome.Cancelled<Mask>() -> { }
                }
            });
        });
    }

    /// Opens the picture to paint on.
    public void paint() {
        painting.set(now().given().orElse(null));
    }

    /// Takes what was painted; empty: the picture may change everywhere.
    public void painted(Optional<Mask> mask) {
        painting.set(null);
        mask(mask);
    }

    /// Leaves the mask as it was.
    public void stopPainting() {
        painting.set(null);
    }

    private void mask(Optional<Mask> mask) {
        now().given().ifPresent(given -> start(new Start(Optional.of(new Given(given.name(), given.picture(), mask)), now().denoise(), now().hires())));
    }

    public void denoise(double changed) {
        start(new Start(now().given(), changed, now().hires()));
    }

    /// What a second pass multiplies the sides by; empty: no second pass.
    public void hires(OptionalDouble changed) {
        start(new Start(now().given(), now().denoise(), changed));
    }

    public void chooseAdapters() {
        List<Worn> worn = new ArrayList<>(galleries.settings().get().worn());
        for (Path file : choosers.adapters("Adapters to wear")) {
            if (worn.stream().noneMatch(one -> one.file().equals(file))) worn.add(new Worn(file, 1));
        }
        galleries.settings(galleries.settings().get().withWorn(worn));
    }

    public void strength(Path file, double changed) {
        galleries.settings(galleries.settings().get().withWorn(galleries.settings().get().worn().stream().map(one -> one.file().equals(file) ? new Worn(file, changed) : one).toList()));
    }

    public void takeOff(Path file) {
        galleries.settings(galleries.settings().get().withWorn(galleries.settings().get().worn().stream().filter(one -> !one.file().equals(file)).toList()));
    }

    private Start now() {
        return galleries.settings().get().start();
    }

    private void start(Start changed) {
        galleries.settings(galleries.settings().get().withStart(changed));
    }
}
