package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.PhotoCheck;
import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.PhotoSidecars;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.gallery.Thumbnails;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.services.Services;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// A subject's photos, class word and trigger word. Changes are saved immediately.
public final class SubjectViewModel {
    /// In pixels, for high-density screens too.
    private static final int COVER_SIDE = 128;
    /// Photos are shown in groups of this size while the others are still checked.
    private static final int PROGRESS_PHOTOS = 12;

    private final Jobs jobs;
    private final SubjectStore store;
    private final PhotoFinder photoFinder;
    private final FileChoosers choosers;
    private final Deletions deletions;
    private final ReadOnlyObjectWrapper<Subject> subject;
    private final AtomicReference<Subject> latest;
    private final ObservableList<SubjectPhoto> photos = FXCollections.observableArrayList();
    private final ObservableList<SubjectPhoto> photosView = FXCollections.unmodifiableObservableList(photos);
    private final ReadOnlyObjectWrapper<Optional<RgbImage>> cover = new ReadOnlyObjectWrapper<>(Optional.empty());
    private final ObservableList<SubjectStore.RejectedFile> rejected = FXCollections.observableArrayList();
    private final ObservableList<SubjectStore.RejectedFile> rejectedView = FXCollections
            .unmodifiableObservableList(rejected);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private int reads;
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public SubjectViewModel(Services services, Deletions deletions, Subject subject) {
        this.jobs = services.jobs();
        this.store = services.stores().subjects();
        this.photoFinder = services.stores().photoFinder();
        this.choosers = services.environment().choosers();
        this.deletions = deletions;
        this.subject = new ReadOnlyObjectWrapper<>(subject);
        this.latest = new AtomicReference<>(subject);
        checkPhotos();
    }

    public ReadOnlyObjectProperty<Subject> subject() {
        return subject.getReadOnlyProperty();
    }

    /// The photos that were checked so far, in their order. Their pixels stay in the files.
    public ObservableList<SubjectPhoto> photos() {
        return photosView;
    }

    /// A small square of the first photo; empty without photos.
    public ReadOnlyObjectProperty<Optional<RgbImage>> cover() {
        return cover.getReadOnlyProperty();
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
    public void remove(SubjectPhoto photo) {
        Subject before = subject.get();
        AtomicReference<Trash.Entry> removed = new AtomicReference<>();
        runJob(text("subjects.removing", photo.file().getFileName()), cancellation -> {
            removed.set(store.remove(before, photo.file(), deletions.trash()));
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
                    checkPhotos();
                    onChanged.run();
                }
                case JobOutcome.Failed<SubjectChange>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<SubjectChange>() -> {}
            }
        });
    }

    private void checkPhotos() {
        List<SubjectPhoto> existing = List.copyOf(photos);
        Subject current = subject.get();
        int read = ++reads;
        Consumer<List<SubjectPhoto>> progress = jobs.deliverLatest(found -> {
            if (read == reads) photos.setAll(found);
        });
        jobs.start(text("subjects.thumbnails-of", current.name()), cancellation -> {
            List<SubjectPhoto> checked = check(current, existing, progress, cancellation);
            return new CheckedPhotos(checked, checked.isEmpty() ? Optional.empty()
                    : Optional.of(checked.getFirst().read().centerSquare(COVER_SIDE)));
        }, checked -> {
            if (read != reads) return;
            cover.set(checked.cover);
            photos.setAll(checked.photos);
        }, problem::set);
    }

    private record CheckedPhotos(List<SubjectPhoto> photos, Optional<RgbImage> cover) {}

    private List<SubjectPhoto> check(Subject owner, List<SubjectPhoto> existing, Consumer<List<SubjectPhoto>> progress,
            Cancellation cancellation) throws Failure {
        Map<Path, PhotoCheck> known = new HashMap<>();
        for (SubjectPhoto photo : existing) known.put(photo.file(), photo.check());
        List<SubjectPhoto> result = new ArrayList<>();
        for (Path file : owner.photos()) {
            cancellation.throwIfRequested();
            PhotoCheck check = known.get(file);
            result.add(new SubjectPhoto(file, check != null ? check : PhotoCheck.of(photoFinder.read(file)),
                    PhotoSidecars.of(file)));
            if (known.isEmpty() && result.size() % PROGRESS_PHOTOS == 0) progress.accept(List.copyOf(result));
        }
        return result;
    }

    /// The first photo that is nearly the same as one after it.
    public Optional<SubjectPhoto> duplicateOf(SubjectPhoto photo) {
        return photos.stream()
                .takeWhile(other -> !other.file().equals(photo.file()))
                .filter(other -> other.check().isDuplicateOf(photo.check()))
                .findFirst();
    }

    /// A photo and what was found about it.
    public record SubjectPhoto(Path file, PhotoCheck check, PhotoSidecars sidecars) implements Thumbnails.Source {
        @Override
        public Object key() {
            return List.of(file, check);
        }

        @Override
        public RgbImage read() throws Failure {
            return ImageFiles.read(file);
        }
    }
}
