package atomstudio.app.trash;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import java.nio.file.Path;
import java.util.List;

/// Deletes files in the background and offers Undo in a notice. Window's thread.
public final class Deletions {
    private final Jobs jobs;
    private final Trash trash;
    private final NoticesViewModel notices;

    public Deletions(Jobs jobs, Trash trash, NoticesViewModel notices) {
        this.jobs = jobs;
        this.trash = trash;
        this.notices = notices;
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
        jobs.start("Deleting the " + title, cancellation -> trash.move(title, files), entry -> {
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
        notices.offerUndo("Deleted the " + entry.title() + ".", () -> restore(entry, onRestored));
    }

    /// Moves a trash entry's files back.
    public void restore(Trash.Entry entry, Runnable onRestored) {
        jobs.start("Restoring the " + entry.title(), cancellation -> trash.restore(entry),
                restored -> onRestored.run(), notices::showError);
    }
}
