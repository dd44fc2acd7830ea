package atomstudio.app.notices;

import static atomstudio.app.text.Texts.text;

import java.nio.file.Path;
import java.util.Optional;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;

/// The notices of the window, newest last: something has happened, and one thing to do about it.
public final class NoticesViewModel {
    private static final String UNDO = text("notices.undo");
    private static final int MAX_NOTICES = 4;

    public enum NoticeKind { PLAIN, ERROR }

    /// @param action runs once, then the notice is gone
    /// @param image  a file that is shown beside the text
    public record Notice(NoticeKind kind, String text, Optional<NoticeAction> action, Optional<Path> image) {
        public Notice(NoticeKind kind, String text, Optional<NoticeAction> action) {
            this(kind, text, action, Optional.empty());
        }
    }

    public record NoticeAction(String title, Runnable run) {}

    private final ObservableList<Notice> notices = FXCollections.observableArrayList();
    private final ObservableList<Notice> noticesView = FXCollections.unmodifiableObservableList(notices);

    public ObservableList<Notice> notices() {
        return noticesView;
    }

    /// Shows a notice; the oldest one goes if there are too many. A repeated text replaces its notice.
    public void show(Notice notice) {
        notices.removeIf(shown -> shown.text().equals(notice.text()));
        notices.add(notice);
        if (notices.size() > MAX_NOTICES) notices.removeFirst();
    }

    public void offerUndo(String text, Runnable undo) {
        show(new Notice(NoticeKind.PLAIN, text, Optional.of(new NoticeAction(UNDO, undo))));
    }

    public void showError(String text) {
        show(new Notice(NoticeKind.ERROR, text, Optional.empty()));
    }

    public void act(Notice notice) {
        if (notices.remove(notice)) notice.action().ifPresent(action -> action.run().run());
    }

    /// Takes back the newest change that can be.
    public void undo() {
        notices.reversed()
                .stream()
                .filter(notice -> notice.action().filter(action -> action.title().equals(UNDO)).isPresent())
                .findFirst()
                .ifPresent(this::act);
    }

    public void dismiss(Notice notice) {
        notices.remove(notice);
    }
}
