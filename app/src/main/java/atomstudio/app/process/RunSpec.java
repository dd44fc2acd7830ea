package atomstudio.app.process;

import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Everything a training process needs for a run. An existing run in the folder is resumed.
/// @param subject the subject's name, for display
public record RunSpec(String subject, Path model, Path photos, SubjectPhrase phrase, TrainingChoices choices,
        Path folder) {
    /// The words for the subject in prompts.
    public record SubjectPhrase(String className, String triggerWord) {
        /// `sks dog`.
        public String text() {
            return (triggerWord + " " + className).strip();
        }
    }

    /// The adapter files that a run starts from.
    /// @param from its training goes on, with the method of the file
    /// @param on   merged into the base model
    public record StartFiles(Optional<Path> from, Optional<MergedFile> on) {
        public static final StartFiles NONE = new StartFiles(Optional.empty(), Optional.empty());

        public record MergedFile(Path file, double weight) {}

        /// `from car.safetensors · on ink.safetensors × 0.8`.
        private Stream<String> parts() {
            return Stream.concat(from.map(file -> text("process.from", file.getFileName())).stream(),
                    on.map(merged -> text("process.on", merged.file.getFileName(), merged.weight)).stream());
        }
    }

    /// The user's method and training settings, complete for the model (`TrainingSettings.completedFor`).
    public record TrainingChoices(MethodSettings method, TrainingSettings training, StartFiles start) {
        public TrainingChoices(MethodSettings method, TrainingSettings training) {
            this(method, training, StartFiles.NONE);
        }

        /// A method with its default settings.
        public static TrainingChoices of(MethodName choice) {
            return new TrainingChoices(MethodSettings.of(choice), TrainingSettings.DEFAULTS);
        }

        public int steps() {
            return training.toConfig(method, ModelSize.SMALL).schedule().steps();
        }

        /// Whether the run generates previews, which is the default.
        public boolean hasPreviews() {
            return !training.chosen().containsKey(TrainingSetting.PREVIEW_EVERY)
                    || training.toConfig(method, ModelSize.SMALL).runtime().previewEvery() > 0;
        }

        /// The settings that differ from their defaults: `Layers up · Steps 50 · Horizontal flip`.
        public String summary() {
            List<String> parts = new ArrayList<>();
            method.overrides().forEach((setting, value) -> parts.add(setting.describe(value)));
            training.chosen().forEach((setting, value) -> parts.add(setting.describe(value)));
            start.parts().forEach(parts::add);
            return String.join(" · ", parts);
        }
    }

    public MethodName choice() {
        return choices.method().choice();
    }

    /// `Filter atoms`, `Filter atoms m = 6`, `LoRA rank 4 + Textual inversion`.
    public String title() {
        MethodSettings method = choices.method();
        String atoms = method.overrides().containsKey(MethodSetting.ATOMS) ? " m = " + method.atoms() : "";
        String rank = method.choice().settings().contains(MethodSetting.RANK) ? " rank " + method.rank() : "";
        Stream<String> extras = Stream.concat(method.combinedWith().map(MethodName::displayName).stream(),
                method.trainsTextEncoder() ? Stream.of("text encoder") : Stream.of());
        return method.displayName() + atoms + rank + String.join("", extras.map(name -> " + " + name).toList());
    }
}
