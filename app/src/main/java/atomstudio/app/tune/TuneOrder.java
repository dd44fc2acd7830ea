package atomstudio.app.tune;

import atomstudio.tuning.method.MethodSettings.Choice;
import java.nio.file.Path;

/// A run to be made, or gone on with: the same order on the same folder resumes it.
/// @param subject the subject's name, for people
/// @param run the run's folder
public record TuneOrder(String subject, Path model, Path pictures, Words words, Choice method, TuneSettings settings, Path run) {
    /// The class word and the placeholder that the subject is called by.
    public record Words(String className, String token) {}

    /// `Filter atoms`, `LoRA rank 4`.
    public String title() {
        return RunSummary.title(method, settings.atoms(), settings.rank());
    }
}
