package atomstudio.app.settings;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.app.provider.DeviceSelection;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The settings saved between sessions.
/// @param model the selected model; empty: the built-in one
/// @param otherModels all opened models besides the built-in one
/// @param sharingRule what happens when images are wanted during a run
public record AppSettings(Theme theme, Optional<Path> model, List<Path> otherModels, GenerationPreferences generation,
        SharingRule sharingRule) {
    public enum Theme {
        /// Light or dark as the desktop.
        SYSTEM,
        LIGHT,
        DARK;

        /// In settings files.
        String option() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Theme ofOption(String option) {
            return Arrays.stream(values()).filter(theme -> theme.option().equals(option)).findFirst().orElse(SYSTEM);
        }
    }

    /// How training and image generation share the machine.
    public enum SharingRule {
        /// The run pauses, and continues when the images are done.
        PAUSE_RUN(text("settings.pause-the-run")),
        /// Images wait for the end of the run.
        AFTER_RUN(text("settings.after-the-run")),
        /// Both at the same time.
        SHARE(text("settings.at-once-both-slower"));

        private final String title;

        SharingRule(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }

        /// In settings files.
        public String option() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        public static Optional<SharingRule> ofOption(String option) {
            return Arrays.stream(values()).filter(rule -> rule.option().equals(option)).findFirst();
        }
    }

    /// Preferences for all image generation.
    /// @param previewDecoder a TAESD decoder for live previews; empty: none
    /// @param safetyFilter whether to use the model's safety checker, if it has one
    /// @param device name of the device that samples, or `auto`
    public record GenerationPreferences(Optional<Path> previewDecoder, SafetyFilter safetyFilter, EngineName engine,
            String device) {
        public static GenerationPreferences defaults() {
            return new GenerationPreferences(Optional.empty(), SafetyFilter.ON, EngineName.AUTO, DeviceSelection.AUTO);
        }

        public GenerationPreferences withPreviewDecoder(Optional<Path> changed) {
            return new GenerationPreferences(changed, safetyFilter, engine, device);
        }

        public GenerationPreferences with(SafetyFilter changed) {
            return new GenerationPreferences(previewDecoder, changed, engine, device);
        }

        public GenerationPreferences with(EngineName changed) {
            return new GenerationPreferences(previewDecoder, safetyFilter, changed, device);
        }

        public GenerationPreferences withDevice(String changed) {
            return new GenerationPreferences(previewDecoder, safetyFilter, engine, changed);
        }
    }

    public AppSettings {
        otherModels = List.copyOf(otherModels);
    }

    public static AppSettings defaults() {
        return new AppSettings(Theme.SYSTEM, Optional.empty(), List.of(), GenerationPreferences.defaults(),
                SharingRule.PAUSE_RUN);
    }

    public AppSettings with(Theme changed) {
        return new AppSettings(changed, model, otherModels, generation, sharingRule);
    }

    public AppSettings withModel(Optional<Path> changed) {
        return new AppSettings(theme, changed, otherModels, generation, sharingRule);
    }

    public AppSettings withModels(List<Path> changed) {
        return new AppSettings(theme, model, changed, generation, sharingRule);
    }

    public AppSettings with(GenerationPreferences changed) {
        return new AppSettings(theme, model, otherModels, changed, sharingRule);
    }

    public AppSettings with(SharingRule changed) {
        return new AppSettings(theme, model, otherModels, generation, changed);
    }
}
