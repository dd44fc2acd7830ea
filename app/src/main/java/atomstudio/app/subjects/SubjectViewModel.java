package atomstudio.app.subjects;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Job;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// One subject: its pictures, class word and token. What is changed is saved at once.
public final class SubjectViewModel {
    private final Jobs jobs;
    private final SubjectStore store;
    private final PictureFiles files;
    private final FileChoosers choosers;
    private final ReadOnlyObjectWrapper<Subject> subject;
    private final AtomicReference<Subject> newest;
    private final ObservableList<Thumbnail> thumbnails = FXCollections.observableArrayList();
    private final ObservableList<Thumbnail> thumbnailsView = FXCollections.unmodifiableObservableList(thumbnails);
    private final ObservableList<Refusal> refusals = FXCollections.observableArrayList();
    private final ObservableList<Refusal> refusalsView = FXCollections.unmodifiableObservableList(refusals);
    private final ReadOnlyStringWrapper busy = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");

    public SubjectViewModel(Jobs jobs, SubjectStore store, PictureFiles files, FileChoosers choosers, Subject subject) {
        this.jobs = jobs;
        this.store = store;
        this.files = files;
        this.choosers = choosers;
        this.subject = new ReadOnlyObjectWrapper<>(subject);
        this.newest = new AtomicReference<>(subject);
        readThumbnails();
    }

    public ReadOnlyObjectProperty<Subject> subject() {
        return subject.getReadOnlyProperty();
    }

    public ObservableList<Thumbnail> thumbnails() {
        return thumbnailsView;
    }

    /// Files that were not taken, until they are dismissed or others come.
    public ObservableList<Refusal> refusals() {
        return refusalsView;
    }

    public ReadOnlyStringProperty busy() {
        return busy.getReadOnlyProperty();
    }

    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    /// Shows what was refused when the subject was made.
    public void refused(List<Refusal> atCreation) {
        refusals.setAll(atCreation);
    }

    public void dismiss() {
        refusals.clear();
        problem.set("");
    }

    public void classWord(String word) {
        change(subject.get().with(word.strip(), subject.get().token()));
    }

    public void token(String word) {
        change(subject.get().with(subject.get().className(), word.strip()));
    }

    private void change(Subject changed) {
        if (changed.equals(subject.get())) return;
        subject.set(changed);
        newest.set(changed);
        jobs.start("Saving " + changed.name(), cancellation -> {
            // Saves may overtake each other: each writes the newest, one at a time.
            synchronized (newest) {
                store.save(newest.get());
            }
            return changed;
        }, outcome -> {
            if (outcome instanceof JobOutcome.Failed<Subject>(String message)) problem.set(message);
        });
    }

    public void choosePictures() {
        List<Path> chosen = choosers.images("Add pictures of " + subject.get().name());
        if (!chosen.isEmpty()) add(chosen);
    }

    /// Takes the pictures among dropped files and folders; the others are refused by name.
    public void add(List<Path> dropped) {
        Subject before = subject.get();
        refusals.clear();
        work("Reading the pictures…", cancellation -> {
            SubjectStore.Imported imported = store.add(before, dropped, cancellation);
            return new Changed(imported.subject(), imported.refusals());
        });
    }

    public void remove(Thumbnail thumbnail) {
        Subject before = subject.get();
        work("Removing " + thumbnail.file().getFileName(), cancellation -> new Changed(store.remove(before, thumbnail.file()), List.of()));
    }

    private record Changed(Subject subject, List<Refusal> refusals) {}

    private void work(String what, Job<Changed> job) {
        if (!busy.get().isEmpty()) return;
        busy.set(what);
        problem.set("");
        jobs.start(what, job, outcome -> {
            busy.set("");
            switch (outcome) {
                case JobOutcome.Succeeded<Changed>(Changed changed) -> {
                    // Words typed meanwhile stay.
                    subject.set(changed.subject.with(subject.get().className(), subject.get().token()));
                    refusals.setAll(changed.refusals);
                    readThumbnails();
                }
                case JobOutcome.Failed<Changed>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<Changed>() -> {}
            }
        });
    }

    private void readThumbnails() {
        List<Thumbnail> have = List.copyOf(thumbnails);
        Subject of = subject.get();
        jobs.start("Thumbnails of " + of.name(), cancellation -> thumbnails(of, have, cancellation), outcome -> {
            switch (outcome) {
                case JobOutcome.Succeeded<List<Thumbnail>>(List<Thumbnail> made) -> thumbnails.setAll(made);
                case JobOutcome.Failed<List<Thumbnail>>(String message) -> problem.set(message);
                case JobOutcome.Cancelled<List<Thumbnail>>() -> {}
            }
        });
    }

    private List<Thumbnail> thumbnails(Subject of, List<Thumbnail> have, Cancellation cancellation) throws Failure {
        List<Thumbnail> made = new ArrayList<>();
        for (Path file : of.pictures()) {
            cancellation.throwIfRequested();
            Thumbnail known = have.stream().filter(thumbnail -> thumbnail.file().equals(file)).findFirst().orElse(null);
            made.add(known != null ? known : new Thumbnail(file, files.read(file).square(Thumbnail.SIZE)));
        }
        return made;
    }
}
