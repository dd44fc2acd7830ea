package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.PhotoCheck;
import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.PhotoSidecars;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.services.Services;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// A subject's photos, class word and trigger word. Changes are saved immediately.
public final class SubjectViewModel {
    private final Jobs jobs;
    private final SubjectStore store;
    private final PhotoFinder photoFinder;
    private final FileChoosers choosers;
    private final Deletions deletions;
    private final ReadOnlyObjectWrapper<Subject> subject;
    private final AtomicReference<Subject> latest;
    private final ObservableList<Thumbnail> thumbnails = FXCollections.observableArrayList();
    private final ObservableList<Thumbnail> thumbnailsView = FXCollections.unmodifiableObservableList(thumbnails);
    private final ObservableList<SubjectStore.RejectedFile> rejected = FXCollections.observableArrayList();
    private final ObservableList<SubjectStore.RejectedFile> rejectedView = FXCollections
            .unmodifiableObservableList(rejected);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public SubjectViewModel(Services services, Deletions deletions, Subject subject) {
        this.jobs = services.jobs();
        this.store = services.stores().subjects();
        this.photoFinder = services.stores().photoFinder();
        this.choosers = services.environment().choosers();
        this.deletions = deletions;
        this.subject = new ReadOnlyObjectWrapper<>(subject);
        this.latest = new AtomicReference<>(subject);
        loadThumbnails();
    }

    public ReadOnlyObjectProperty<Subject> subject() {
        return subject.getReadOnlyProperty();
    }

    public ObservableList<Thumbnail> thumbnails() {
        return thumbnailsView;
    }

    /// Rejected files, until dismissed or replaced.
    public ObservableList<SubjectStore.RejectedFile> rejected() {
        return rejectedView;
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Shows the files rejected when the subject was created.
    public void showRejected(List<SubjectStore.RejectedFile> atCreation) {
        rejected.setAll(atCreation);
    }

    public void dismissMessages() {
        rejected.clear();
        problem.set("");
    }

    public void setClassName(String text) {
        change(subject.get().with(text.strip(), subject.get().triggerWord()));
    }

    public void setTriggerWord(String text) {
        change(subject.get().with(subject.get().className(), text.strip()));
    }

    /// Gives the subject another display name; an empty one takes it back.
    public void rename(String name) {
        change(subject.get().renamed(name.strip()));
    }

    private void change(Subject changed) {
        if (changed.equals(subject.get())) return;
        subject.set(changed);
        latest.set(changed);
        jobs.start(text("subjects.saving", changed.name()), cancellation -> {
            // Saves may run out of order: each one writes the newest state.
            synchronized (latest) {
                store.save(latest.get());
            }
            return changed;
        }, outcome -> {
            if (outcome instanceof JobOutcome.Failed<Subject>(String message)) problem.set(message);
        });
    }

    public void choosePhotos() {
        List<Path> chosen = choosers.images(text("subjects.add-photos-of", subject.get().name()));
        if (!chosen.isEmpty()) add(chosen);
    }

    /// Adds the photos among files and folders; other files are rejected.
    public void add(List<Path> paths) {
        Subject before = subject.get();
        rejected.clear();
        runJob(text("subjects.reading-photos"), cancellation -> {
            SubjectStore.ImportResult result = store.add(before, paths, cancellation);
            return new SubjectChange(result.subject(), result.rejected());
        }, () -> {});
    }

    /// Moves a photo with its caption and mask to the trash.
    public void remove(Thumbnail thumbnail) {
        Subject before = subject.get();
        AtomicReference<Trash.Entry> removed = new AtomicReference<>();
        runJob(text("subjects.removing", thumbnail.file().getFileName()), cancellation -> {
            removed.set(store.remove(before, thumbnail.file(), deletions.trash()));
            return new SubjectChange(store.read(before), List.of());
        }, () -> deletions.offerUndo(removed.get(), this::reload));
    }

    /// Reads the photos again.
    public void reload() {
        Subject before = subject.get();
        runJob(text("subjects.reading-photos"), cancellation -> new SubjectChange(store.read(before), List.of()),
                () -> {});
    }

    private record SubjectChange(Subject subject, List<SubjectStore.RejectedFile> rejected) {}

    private void runJob(String title, Jobs.Job<SubjectChange> job, Runnable onChanged) {
        if (!busy.get().isEmpty()) return;
        busy.set(title);
        problem.set("");
        jobs.start(title, job, outcome -> {
            busy.set("");
            switch (outcome) {
                case JobOutcome.Succeeded<SubjectChange>(SubjectChange changed) -> {
                    // Keeps text entered meanwhile.
                    subject.set(changed.subject.with(subject.get().className(), subject.get().triggerWord())
                            .renamed(subject.get().displayName()));
                    rejected.setAll(changed.rejected);
                    loadThumbnails();
                    onChanged.run();
                }
                case JobOutcome.Failed<SubjectChange>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<SubjectChange>() -> {}
            }
        });
    }

    private void loadThumbnails() {
        List<Thumbnail> existing = List.copyOf(thumbnails);
        Subject current = subject.get();
        jobs.start(text("subjects.thumbnails-of", current.name()),
                cancellation -> thumbnails(current, existing, cancellation),
                loaded -> thumbnails.setAll(loaded), problem::set);
    }

    private List<Thumbnail> thumbnails(Subject owner, List<Thumbnail> existing, Cancellation cancellation)
            throws Failure {
        List<Thumbnail> result = new ArrayList<>();
        for (Path file : owner.photos()) {
            cancellation.throwIfRequested();
            Thumbnail known = existing.stream()
                    .filter(thumbnail -> thumbnail.file().equals(file))
                    .findFirst()
                    .orElse(null);
            PhotoSidecars sidecars = PhotoSidecars.of(file, Thumbnail.SIZE);
            result.add(known != null ? known.with(sidecars) : thumbnail(file, sidecars));
        }
        return result;
    }

    private Thumbnail thumbnail(Path file, PhotoSidecars sidecars) throws Failure {
        RgbImage photo = photoFinder.read(file);
        return new Thumbnail(file, photo.centerSquare(Thumbnail.SIZE), PhotoSidecars.fit(photo, Thumbnail.PREVIEW_SIDE),
                PhotoCheck.of(photo), sidecars);
    }

    /// The first photo that is nearly the same as one after it.
    public Optional<Thumbnail> duplicateOf(Thumbnail photo) {
        return thumbnails.stream()
                .takeWhile(other -> !other.file().equals(photo.file()))
                .filter(other -> other.check().isDuplicateOf(photo.check()))
                .findFirst();
    }

    /// A photo file with its square thumbnail and what was found about it.
    /// @param preview the whole photo
    public record Thumbnail(Path file, RgbImage image, RgbImage preview, PhotoCheck check, PhotoSidecars sidecars) {
        /// Side in pixels, for high-density screens too.
        public static final int SIZE = 128;
        /// Longer side of the preview, in pixels.
        public static final int PREVIEW_SIDE = 416;

        Thumbnail with(PhotoSidecars found) {
            return new Thumbnail(file, image, preview, check, found);
        }
    }
}
