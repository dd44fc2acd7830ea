package atomstudio.app.trash;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import java.nio.file.Path;
import java.util.List;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// Deletes files in the background and offers Undo in a notice. Window's thread.
public final class Deletions {
    private final Jobs jobs;
    private final Trash trash;
    private final NoticesViewModel notices;
    private final ObservableList<Trash.Entry> entries = FXCollections.observableArrayList();
    private final ObservableList<Trash.Entry> entriesView = FXCollections.unmodifiableObservableList(entries);
    private Runnable onRestored = () -> {};

    public Deletions(Jobs jobs, Trash trash, NoticesViewModel notices) {
        this.jobs = jobs;
        this.trash = trash;
        this.notices = notices;
    }

    /// Sets what is called after every restored entry, in addition to the deletion's own listener.
    public void setOnRestored(Runnable listener) { onRestored = listener; }

    /// The entries of the trash, newest first, as of the last [#refresh].
    public ObservableList<Trash.Entry> entries() {
        return entriesView;
    }

    public void refresh() {
        jobs.start(text("trash.listing-the-trash"), cancellation -> trash.list(), found -> entries.setAll(found),
                notices::showError);
    }

    /// Deletes all entries for good.
    public void empty() {
        jobs.start(text("trash.emptying-the-trash"), cancellation -> {
            trash.empty();
            return trash;
        }, emptied -> refresh(), notices::showError);
    }

    public NoticesViewModel notices() {
        return notices;
    }

    public Trash trash() {
        return trash;
    }

    /// Moves files to the trash and offers Undo. A failure is shown in a notice.
    /// @param title names what is deleted: `run car-lora`
    /// @param onChanged called after the deletion, whether it failed or not, and after Undo
    public void delete(String title, List<Path> files, Runnable onChanged) {
        jobs.start(text("trash.deleting-the", title), cancellation -> trash.move(title, files), entry -> {
            offerUndo(entry, onChanged);
            onChanged.run();
        }, message -> {
            notices.showError(message);
            onChanged.run();
        });
    }

    /// Offers to take back a deletion.
    /// @param onRestored called when the files are in their place again
    public void offerUndo(Trash.Entry entry, Runnable onRestored) {
        notices.offerUndo(text("trash.deleted-the", entry.title()), () -> restore(entry, onRestored));
    }

    /// Moves an entry's files back.
    /// @param listener called when they are in their place again
    public void restore(Trash.Entry entry, Runnable listener) {
        jobs.start(text("trash.restoring-the", entry.title()), cancellation -> trash.restore(entry),
                restored -> {
                    listener.run();
                    onRestored.run();
                    refresh();
                }, notices::showError);
    }
}
