package atomstudio.app.settings;

import java.util.function.UnaryOperator;

/// Stores the settings. Write errors are only logged.
public interface SettingsStore {
    AppSettings get();

    void update(UnaryOperator<AppSettings> change);
}
