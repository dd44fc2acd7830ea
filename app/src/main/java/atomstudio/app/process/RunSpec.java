package atomstudio.app.process;

import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A run to be made, or gone on with: the same order on the same folder resumes it.
/// @param subject the subject's name, for people
/// @param folder the run's folder
public record RunSpec(String subject, Path model, Path photos, SubjectPhrase phrase, TrainingChoices choices,
        Path folder) {
    /// The class word and the placeholder that the subject is called by.
    public record SubjectPhrase(String className, String triggerWord) {}

    /// What is tuned, and how: what a person chose.
    public record TrainingChoices(MethodSettings method, TrainingSettings training) {
        /// A method with its usual settings.
        public static TrainingChoices of(MethodName choice) {
            return new TrainingChoices(MethodSettings.of(choice), TrainingSettings.DEFAULTS);
        }

        public int steps() {
            return training.toConfig(method).schedule().steps();
        }

        /// Whether pictures are made on the way: they are, where a person did not choose otherwise.
        public boolean hasPreviews() {
            return !training.chosen().containsKey(TrainingSetting.PREVIEW_EVERY)
                    || training.toConfig(method).runtime().previewEvery() > 0;
        }

        /// Everything that is not as usual: `layers up · steps 50 · flip`; empty where all is.
        public String summary() {
            List<String> parts = new ArrayList<>();
            method.overrides()
                    .forEach((setting, value) -> parts.add(setting == MethodSetting.TRAIN_TEXT_ENCODER ? "text encoder"
                            : displayName(setting.option()) + " " + value));
            parts.addAll(summaries(training));
            return String.join(" · ", parts);
        }

        public static List<String> summaries(TrainingSettings training) {
            return training.chosen()
                    .entrySet()
                    .stream()
                    .map(entry -> summary(entry.getKey(), entry.getValue()))
                    .toList();
        }

        private static String summary(TrainingSetting setting, String value) {
            return setting.isFlag() ? displayName(setting.option()) : displayName(setting.option()) + " " + value;
        }

        /// An option's name as words: `channel block`.
        public static String displayName(String command) {
            return command.replace('-', ' ');
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
