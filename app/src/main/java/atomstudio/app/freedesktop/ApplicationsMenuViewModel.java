package atomstudio.app.freedesktop;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.Optional;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;

/// Adds the program to the applications menu and removes it, each with Undo. Window's thread.
public final class ApplicationsMenuViewModel {
    /// OTHER: the menu has an entry, but not one that this program would write.
    public enum MenuState { ABSENT, OTHER, PRESENT }

    private final Jobs jobs;
    private final ApplicationsMenu menu;
    private final NoticesViewModel notices;
    private final ReadOnlyObjectWrapper<MenuState> state = new ReadOnlyObjectWrapper<>(MenuState.ABSENT);

    /// Reads the menu.
    public ApplicationsMenuViewModel(Jobs jobs, ApplicationsMenu menu, NoticesViewModel notices) {
        this.jobs = jobs;
        this.menu = menu;
        this.notices = notices;
        jobs.start(text("freedesktop.reading"), cancellation -> menu.entry(), this::show, notices::showError);
    }

    public ReadOnlyObjectProperty<MenuState> state() {
        return state.getReadOnlyProperty();
    }

    /// What the entry starts.
    public Path program() {
        return menu.program();
    }

    /// Adds the entry, or replaces another one.
    public void add() {
        change(Optional.of(menu.ownEntry()), text("freedesktop.added"));
    }

    public void remove() {
        change(Optional.empty(), text("freedesktop.removed"));
    }

    private void change(Optional<String> entry, String notice) {
        jobs.start(text("freedesktop.changing"), cancellation -> replace(entry), before -> {
            show(entry);
            notices.offerUndo(notice, () -> jobs.start(text("freedesktop.changing"),
                    cancellation -> replace(before), undone -> show(before), notices::showError));
        }, notices::showError);
    }

    /// @return the entry before
    private Optional<String> replace(Optional<String> entry) throws Failure {
        Optional<String> before = menu.entry();
        if (entry.isPresent()) menu.write(entry.get());
        else menu.remove();
        return before;
    }

    private void show(Optional<String> entry) {
        state.set(entry.isEmpty() ? MenuState.ABSENT
                : entry.get().equals(menu.ownEntry()) ? MenuState.PRESENT : MenuState.OTHER);
    }
}
