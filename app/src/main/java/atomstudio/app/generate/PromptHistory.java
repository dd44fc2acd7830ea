package atomstudio.app.generate;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Moves through earlier prompts as a shell does: the prompt that was being edited stays at the end. An edit starts
/// over.
final class PromptHistory {
    private List<SubjectPrompt> earlier = List.of();
    private SubjectPrompt draft = SubjectPrompt.EMPTY;
    /// Index of the shown prompt; -1: the draft.
    private int position = -1;

    /// @param shown the prompt in the field
    /// @param prompts newest first
    Optional<SubjectPrompt> older(SubjectPrompt shown, Supplier<List<SubjectPrompt>> prompts) {
        if (position < 0 || !shown.equals(earlier.get(position))) {
            draft = shown;
            earlier = prompts.get().stream().filter(prompt -> !prompt.equals(shown)).toList();
            position = -1;
        }
        if (position + 1 >= earlier.size()) return Optional.empty();
        return Optional.of(earlier.get(++position));
    }

    Optional<SubjectPrompt> newer(SubjectPrompt shown) {
        if (position < 0 || !shown.equals(earlier.get(position))) return Optional.empty();
        position--;
        return Optional.of(position < 0 ? draft : earlier.get(position));
    }
}
