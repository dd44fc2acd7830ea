package atomstudio.app.settings;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import javafx.application.ColorScheme;
import javafx.beans.binding.Bindings;
import javafx.beans.property.ObjectProperty;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.SimpleObjectProperty;
import javafx.beans.value.ObservableValue;

/// The settings of all pages: theme and generation preferences. Changes are saved immediately.
public final class SettingsViewModel {
    private final SettingsStore settings;
    private final FileChoosers choosers;
    private final Runnable onImagesOutdated;
    private final ReadOnlyObjectWrapper<AppSettings.Theme> theme;
    private final ObjectProperty<ColorScheme> systemColorScheme = new SimpleObjectProperty<>(ColorScheme.LIGHT);
    private final ObservableValue<Boolean> dark;
    private final ReadOnlyObjectWrapper<AppSettings.GenerationPreferences> preferences;

    /// @param onImagesOutdated called when a change makes existing images outdated
    public SettingsViewModel(SettingsStore settings, FileChoosers choosers, Runnable onImagesOutdated) {
        this.settings = settings;
        this.choosers = choosers;
        this.onImagesOutdated = onImagesOutdated;
        theme = new ReadOnlyObjectWrapper<>(settings.get().theme());
        dark = Bindings.createObjectBinding(
                () -> theme.get() == AppSettings.Theme.DARK
                        || theme.get() == AppSettings.Theme.SYSTEM && systemColorScheme.get() == ColorScheme.DARK,
                theme, systemColorScheme);
        preferences = new ReadOnlyObjectWrapper<>(settings.get().generation());
    }

    public ReadOnlyObjectProperty<AppSettings.Theme> theme() {
        return theme.getReadOnlyProperty();
    }

    public void theme(AppSettings.Theme chosen) {
        theme.set(chosen);
        settings.update(now -> now.with(chosen));
    }

    /// The desktop's color scheme.
    public ObjectProperty<ColorScheme> systemColorScheme() {
        return systemColorScheme;
    }

    /// Whether the window is dark now.
    public ObservableValue<Boolean> dark() {
        return dark;
    }

    /// Light if the window is dark, and the reverse.
    public void toggleTheme() {
        theme(dark.getValue() ? AppSettings.Theme.LIGHT : AppSettings.Theme.DARK);
    }

    /// The TAESD decoder for live previews; empty: the model's default.
    public ObservableValue<Optional<Path>> previewDecoder() {
        return preferences.map(AppSettings.GenerationPreferences::previewDecoder);
    }

    public void choosePreviewDecoder() {
        choosers.adapters(text("settings.choose-a-taesd-decoder"))
                .stream()
                .findFirst()
                .ifPresent(file -> previewDecoder(Optional.of(file)));
    }

    public void previewDecoder(Optional<Path> changed) {
        change(now -> now.withPreviewDecoder(changed));
    }

    /// Whether to use the model's safety checker.
    public ObservableValue<SafetyFilter> safety() {
        return preferences.map(AppSettings.GenerationPreferences::safetyFilter);
    }

    /// Makes existing images outdated.
    public void setSafety(SafetyFilter chosen) {
        change(now -> now.with(chosen));
        onImagesOutdated.run();
    }

    public ObservableValue<EngineName> engine() {
        return preferences.map(AppSettings.GenerationPreferences::engine);
    }

    /// Makes existing images outdated, because engines differ by rounding.
    public void engine(EngineName chosen) {
        if (chosen == preferences.get().engine()) return;
        change(now -> now.with(chosen));
        onImagesOutdated.run();
    }

    /// Name of the device that samples, or `auto`.
    public ObservableValue<String> device() {
        return preferences.map(AppSettings.GenerationPreferences::device);
    }

    /// Makes existing images outdated, because precisions differ.
    public void device(String chosen) {
        if (chosen.equals(preferences.get().device())) return;
        change(now -> now.withDevice(chosen));
        onImagesOutdated.run();
    }

    private void change(UnaryOperator<AppSettings.GenerationPreferences> change) {
        AppSettings.GenerationPreferences changed = change.apply(preferences.get());
        preferences.set(changed);
        settings.update(now -> now.with(changed));
    }
}
