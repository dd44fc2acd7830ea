package atomstudio.app.desktop;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the window remembers between two starts.
/// @param model the model last chosen; empty: the embedded one
/// @param models other model folders that were opened once
public record Settings(Theme theme, Optional<Path> model, List<Path> models) {
    public enum Theme { LIGHT, DARK }

    public Settings {
        models = List.copyOf(models);
    }

    public static Settings initial() {
        return new Settings(Theme.LIGHT, Optional.empty(), List.of());
    }

    public Settings with(Theme changed) {
        return new Settings(changed, model, models);
    }

    public Settings withModel(Optional<Path> changed) {
        return new Settings(theme, changed, models);
    }

    public Settings withModels(List<Path> changed) {
        return new Settings(theme, model, changed);
    }
}
