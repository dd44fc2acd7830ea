package atomstudio.app.desktop;

import atomstudio.app.jobs.Safety;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the window remembers between two starts.
/// @param model the model last chosen; empty: the embedded one
/// @param models other model folders that were opened once
/// @param preview a decoder for previews (TAESD); empty: none
/// @param safety whether the safety checker of a model that brings one is heeded
public record Settings(Theme theme, Optional<Path> model, List<Path> models, Optional<Path> preview, Safety safety) {
    public enum Theme { LIGHT, DARK }

    public Settings {
        models = List.copyOf(models);
    }

    public static Settings initial() {
        return new Settings(Theme.LIGHT, Optional.empty(), List.of(), Optional.empty(), Safety.ON);
    }

    public Settings with(Theme changed) {
        return new Settings(changed, model, models, preview, safety);
    }

    public Settings withModel(Optional<Path> changed) {
        return new Settings(theme, changed, models, preview, safety);
    }

    public Settings withModels(List<Path> changed) {
        return new Settings(theme, model, changed, preview, safety);
    }

    public Settings withPreview(Optional<Path> changed) {
        return new Settings(theme, model, models, changed, safety);
    }

    public Settings with(Safety changed) {
        return new Settings(theme, model, models, preview, changed);
    }
}
