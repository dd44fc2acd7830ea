package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.gallery.GalleryViewModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Moves through earlier prompts as a shell does: the prompt that was being edited stays at the end. An edit starts
/// over.
final class PromptHistory {
    private List<SubjectPrompt> earlier = List.of();
    private SubjectPrompt draft = SubjectPrompt.EMPTY;
    /// Index of the shown prompt; -1: the draft.
    private int position = -1;

    /// The prompts of a subject's images, with its phrase as the placeholder; newest first.
    /// @param subject null: the images without a subject
    static List<SubjectPrompt> of(GalleryViewModel gallery, @Nullable Subject subject) {
        List<String> phrases = new ArrayList<>();
        if (subject != null) {
            phrases.add(subject.promptPhrase());
            phrases.add(subject.className());
        }
        return gallery.prompts(subject == null ? "" : subject.name())
                .stream()
                .map(text -> phrases.stream()
                        .map(phrase -> SubjectPrompt.of(text, phrase))
                        .filter(found -> found.mention() == SubjectPrompt.Mention.SUBJECT)
                        .findFirst()
                        .orElse(SubjectPrompt.ofText(text)))
                .distinct()
                .toList();
    }

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
