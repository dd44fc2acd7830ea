package atomstudio.app.window;

import atomstudio.app.desktop.Choosers;
import atomstudio.app.desktop.Settings;
import atomstudio.app.desktop.SettingsStore;
import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.Safety;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.value.ObservableValue;

/// What a person chose once for all pages: the look, and how pictures are made whatever their prompt. Remembered at once.
public final class PreferencesViewModel {
    private final SettingsStore settings;
    private final Choosers choosers;
    private final Runnable outdated;
    private final ReadOnlyObjectWrapper<Settings.Theme> theme;
    private final ReadOnlyObjectWrapper<Settings.Pictures> pictures;

    /// @param outdated hears when pictures that are there would come out otherwise now
    PreferencesViewModel(SettingsStore settings, Choosers choosers, Runnable outdated) {
        this.settings = settings;
        this.choosers = choosers;
        this.outdated = outdated;
        theme = new ReadOnlyObjectWrapper<>(settings.get().theme());
        pictures = new ReadOnlyObjectWrapper<>(settings.get().pictures());
    }

    public ReadOnlyObjectProperty<Settings.Theme> theme() {
        return theme.getReadOnlyProperty();
    }

    public void toggleTheme() {
        Settings.Theme other = theme.get() == Settings.Theme.DARK ? Settings.Theme.LIGHT : Settings.Theme.DARK;
        theme.set(other);
        settings.change(now -> now.with(other));
    }

    /// The decoder that shows pictures while they are made; empty: the model's own means.
    public ObservableValue<Optional<Path>> preview() {
        return pictures.map(Settings.Pictures::preview);
    }

    public void choosePreview() {
        choosers.adapters("A decoder for previews (TAESD)").stream().findFirst().ifPresent(file -> preview(Optional.of(file)));
    }

    public void preview(Optional<Path> changed) {
        change(now -> now.withPreview(changed));
    }

    /// Whether the safety checkers of models that bring one are heeded.
    public ObservableValue<Safety> safety() {
        return pictures.map(Settings.Pictures::safety);
    }

    /// Pictures that were made the other way are made again.
    public void heed(Safety wish) {
        change(now -> now.with(wish));
        outdated.run();
    }

    /// What runs the networks when pictures are made.
    public ObservableValue<EngineName> engine() {
        return pictures.map(Settings.Pictures::engine);
    }

    /// Pictures that another engine made are made again: theirs differ by rounding.
    public void engine(EngineName chosen) {
        if (chosen == pictures.get().engine()) return;
        change(now -> now.with(chosen));
        outdated.run();
    }

    private void change(UnaryOperator<Settings.Pictures> change) {
        Settings.Pictures changed = change.apply(pictures.get());
        pictures.set(changed);
        settings.change(now -> now.with(changed));
    }
}
