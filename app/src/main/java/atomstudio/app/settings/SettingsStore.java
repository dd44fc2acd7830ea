package atomstudio.app.settings;

import java.util.function.UnaryOperator;

/// Keeps the settings. Small and quick; a setting that cannot be written is a pity, not a failure.
public interface SettingsStore {
    AppSettings get();

    void update(UnaryOperator<AppSettings> change);
}
