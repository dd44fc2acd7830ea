package atomstudio.app.settings;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.value.ObservableValue;

/// What a person chose once for all pages: the look, and how pictures are made whatever their prompt. Remembered at
/// once.
public final class SettingsViewModel {
    private final SettingsStore settings;
    private final FileChoosers choosers;
    private final Runnable onImagesOutdated;
    private final ReadOnlyObjectWrapper<AppSettings.Theme> theme;
    private final ReadOnlyObjectWrapper<AppSettings.GenerationPreferences> imageSettings;

    /// @param onImagesOutdated hears when pictures that are there would come out otherwise now
    public SettingsViewModel(SettingsStore settings, FileChoosers choosers, Runnable onImagesOutdated) {
        this.settings = settings;
        this.choosers = choosers;
        this.onImagesOutdated = onImagesOutdated;
        theme = new ReadOnlyObjectWrapper<>(settings.get().theme());
        imageSettings = new ReadOnlyObjectWrapper<>(settings.get().generation());
    }

    public ReadOnlyObjectProperty<AppSettings.Theme> theme() {
        return theme.getReadOnlyProperty();
    }

    public void toggleTheme() {
        AppSettings.Theme other = theme.get() == AppSettings.Theme.DARK ? AppSettings.Theme.LIGHT
                : AppSettings.Theme.DARK;
        theme.set(other);
        settings.update(now -> now.with(other));
    }

    /// The decoder that shows pictures while they are made; empty: the model's own means.
    public ObservableValue<Optional<Path>> previewDecoder() {
        return imageSettings.map(AppSettings.GenerationPreferences::previewDecoder);
    }

    public void choosePreviewDecoder() {
        choosers.adapters("A decoder for previews (TAESD)")
                .stream()
                .findFirst()
                .ifPresent(file -> previewDecoder(Optional.of(file)));
    }

    public void previewDecoder(Optional<Path> changed) {
        change(now -> now.withPreviewDecoder(changed));
    }

    /// Whether the safety checkers of models that bring one are heeded.
    public ObservableValue<SafetyFilter> safety() {
        return imageSettings.map(AppSettings.GenerationPreferences::safetyFilter);
    }

    /// Pictures that were made the other way are made again.
    public void setSafety(SafetyFilter chosen) {
        change(now -> now.with(chosen));
        onImagesOutdated.run();
    }

    /// What runs the networks when pictures are made.
    public ObservableValue<EngineName> engine() {
        return imageSettings.map(AppSettings.GenerationPreferences::engine);
    }

    /// Pictures that another engine made are made again: theirs differ by rounding.
    public void engine(EngineName chosen) {
        if (chosen == imageSettings.get().engine()) return;
        change(now -> now.with(chosen));
        onImagesOutdated.run();
    }

    private void change(UnaryOperator<AppSettings.GenerationPreferences> change) {
        AppSettings.GenerationPreferences changed = change.apply(imageSettings.get());
        imageSettings.set(changed);
        settings.update(now -> now.with(changed));
    }
}
