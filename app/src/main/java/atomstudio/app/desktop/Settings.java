package atomstudio.app.desktop;

import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.Safety;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the window remembers between two starts.
/// @param model the model last chosen; empty: the embedded one
/// @param models other model folders that were opened once
public record Settings(Theme theme, Optional<Path> model, List<Path> models, Pictures pictures) {
    public enum Theme { LIGHT, DARK }

    /// How pictures are made, whatever their prompt.
    /// @param preview a decoder for previews (TAESD); empty: none
    /// @param safety whether the safety checker of a model that brings one is heeded
    /// @param engine what runs the networks
    public record Pictures(Optional<Path> preview, Safety safety, EngineName engine) {
        public static Pictures initial() {
            return new Pictures(Optional.empty(), Safety.ON, EngineName.AUTO);
        }

        public Pictures withPreview(Optional<Path> changed) {
            return new Pictures(changed, safety, engine);
        }

        public Pictures with(Safety changed) {
            return new Pictures(preview, changed, engine);
        }

        public Pictures with(EngineName changed) {
            return new Pictures(preview, safety, changed);
        }
    }

    public Settings {
        models = List.copyOf(models);
    }

    public static Settings initial() {
        return new Settings(Theme.LIGHT, Optional.empty(), List.of(), Pictures.initial());
    }

    public Settings with(Theme changed) {
        return new Settings(changed, model, models, pictures);
    }

    public Settings withModel(Optional<Path> changed) {
        return new Settings(theme, changed, models, pictures);
    }

    public Settings withModels(List<Path> changed) {
        return new Settings(theme, model, changed, pictures);
    }

    public Settings with(Pictures changed) {
        return new Settings(theme, model, models, changed);
    }
}
