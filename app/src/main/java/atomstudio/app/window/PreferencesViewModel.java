package atomstudio.app.window;

import atomstudio.app.desktop.AppSettings;
import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.desktop.SettingsStore;
import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.SafetyFilter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.value.ObservableValue;

/// What a person chose once for all pages: the look, and how pictures are made whatever their prompt. Remembered at once.
public final class PreferencesViewModel {
    private final SettingsStore settings;
    private final FileChoosers choosers;
    private final Runnable outdated;
    private final ReadOnlyObjectWrapper<AppSettings.Theme> theme;
    private final ReadOnlyObjectWrapper<AppSettings.GenerationPreferences> pictures;

    /// @param outdated hears when pictures that are there would come out otherwise now
    PreferencesViewModel(SettingsStore settings, FileChoosers choosers, Runnable outdated) {
        this.settings = settings;
        this.choosers = choosers;
        this.outdated = outdated;
        theme = new ReadOnlyObjectWrapper<>(settings.get().theme());
        pictures = new ReadOnlyObjectWrapper<>(settings.get().generation());
    }

    public ReadOnlyObjectProperty<AppSettings.Theme> theme() {
        return theme.getReadOnlyProperty();
    }

    public void toggleTheme() {
        AppSettings.Theme other = theme.get() == AppSettings.Theme.DARK ? AppSettings.Theme.LIGHT : AppSettings.Theme.DARK;
        theme.set(other);
        settings.update(now -> now.with(other));
    }

    /// The decoder that shows pictures while they are made; empty: the model's own means.
    public ObservableValue<Optional<Path>> preview() {
        return pictures.map(AppSettings.GenerationPreferences::previewDecoder);
    }

    public void choosePreview() {
        choosers.adapters("A decoder for previews (TAESD)").stream().findFirst().ifPresent(file -> preview(Optional.of(file)));
    }

    public void preview(Optional<Path> changed) {
        change(now -> now.withPreviewDecoder(changed));
    }

    /// Whether the safety checkers of models that bring one are heeded.
    public ObservableValue<SafetyFilter> safety() {
        return pictures.map(AppSettings.GenerationPreferences::safetyFilter);
    }

    /// Pictures that were made the other way are made again.
    public void heed(SafetyFilter wish) {
        change(now -> now.with(wish));
        outdated.run();
    }

    /// What runs the networks when pictures are made.
    public ObservableValue<EngineName> engine() {
        return pictures.map(AppSettings.GenerationPreferences::engine);
    }

    /// Pictures that another engine made are made again: theirs differ by rounding.
    public void engine(EngineName chosen) {
        if (chosen == pictures.get().engine()) return;
        change(now -> now.with(chosen));
        outdated.run();
    }

    private void change(UnaryOperator<AppSettings.GenerationPreferences> change) {
        AppSettings.GenerationPreferences changed = change.apply(pictures.get());
        pictures.set(changed);
        settings.update(now -> now.with(changed));
    }
}
