package atomstudio.app.settings;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The settings saved between sessions.
/// @param model the selected model; empty: the built-in one
/// @param otherModels all opened models besides the built-in one
public record AppSettings(Theme theme, Optional<Path> model, List<Path> otherModels, GenerationPreferences generation) {
    public enum Theme { LIGHT, DARK }

    /// Preferences for all image generation.
    /// @param previewDecoder a TAESD decoder for live previews; empty: none
    /// @param safetyFilter whether to use the model's safety checker, if it has one
    public record GenerationPreferences(Optional<Path> previewDecoder, SafetyFilter safetyFilter, EngineName engine) {
        public static GenerationPreferences defaults() {
            return new GenerationPreferences(Optional.empty(), SafetyFilter.ON, EngineName.AUTO);
        }

        public GenerationPreferences withPreviewDecoder(Optional<Path> changed) {
            return new GenerationPreferences(changed, safetyFilter, engine);
        }

        public GenerationPreferences with(SafetyFilter changed) {
            return new GenerationPreferences(previewDecoder, changed, engine);
        }

        public GenerationPreferences with(EngineName changed) {
            return new GenerationPreferences(previewDecoder, safetyFilter, changed);
        }
    }

    public AppSettings {
        otherModels = List.copyOf(otherModels);
    }

    public static AppSettings defaults() {
        return new AppSettings(Theme.LIGHT, Optional.empty(), List.of(), GenerationPreferences.defaults());
    }

    public AppSettings with(Theme changed) {
        return new AppSettings(changed, model, otherModels, generation);
    }

    public AppSettings withModel(Optional<Path> changed) {
        return new AppSettings(theme, changed, otherModels, generation);
    }

    public AppSettings withModels(List<Path> changed) {
        return new AppSettings(theme, model, changed, generation);
    }

    public AppSettings with(GenerationPreferences changed) {
        return new AppSettings(theme, model, otherModels, changed);
    }
}
