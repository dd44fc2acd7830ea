package atomstudio.app.generate;

import atomstudio.app.dataset.Subject;
import atomstudio.app.gallery.GalleryViewModel;
import atomstudio.app.models.ModelSummary;
import java.util.ArrayList;
import java.util.List;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import org.jspecify.annotations.Nullable;

/// A page's prompt. It moves through earlier prompts as a shell does: the prompt that was being edited stays at the
/// end. An edit starts over.
public final class PromptViewModel {
    /// An initial prompt that the built-in model draws well.
    private static final SubjectPrompt EXAMPLE = SubjectPrompt.ofText("a 3d penguin in the snow");

    private final GalleryViewModel gallery;
    private final ReadOnlyObjectProperty<@Nullable Subject> subject;
    private final ReadOnlyObjectWrapper<SubjectPrompt> prompt;
    private List<SubjectPrompt> earlier = List.of();
    private SubjectPrompt draft = SubjectPrompt.EMPTY;
    /// Index of the shown prompt; -1: the draft.
    private int position = -1;

    /// @param subject holds null on the Generate page
    PromptViewModel(GalleryViewModel gallery, ReadOnlyObjectProperty<@Nullable Subject> subject) {
        this.gallery = gallery;
        this.subject = subject;
        prompt = new ReadOnlyObjectWrapper<>(subject.get() == null ? SubjectPrompt.EMPTY
                : new SubjectPrompt("a", SubjectPrompt.Mention.SUBJECT, "in the snow"));
    }

    public ReadOnlyObjectProperty<SubjectPrompt> property() {
        return prompt.getReadOnlyProperty();
    }

    public SubjectPrompt get() {
        return prompt.get();
    }

    public void set(SubjectPrompt changed) {
        prompt.set(changed);
    }

    /// An empty prompt of the Generate page becomes the built-in model's example, and back.
    void showExample(ModelSummary model) {
        boolean isBuiltIn = model.origin() == ModelSummary.Origin.BUILT_IN;
        if (isBuiltIn && subject.get() == null && get().equals(SubjectPrompt.EMPTY)) set(EXAMPLE);
        if (!isBuiltIn && get().equals(EXAMPLE)) set(SubjectPrompt.EMPTY);
    }

    /// Shows the next older prompt of the page's images.
    public void showOlder() {
        if (isEdited()) {
            draft = get();
            earlier = promptsOfImages().stream().filter(one -> !one.equals(draft)).toList();
            position = -1;
        }
        if (position + 1 < earlier.size()) set(earlier.get(++position));
    }

    /// Shows the next newer prompt, at last the one that was being edited.
    public void showNewer() {
        if (isEdited()) return;
        position--;
        set(position < 0 ? draft : earlier.get(position));
    }

    private boolean isEdited() { return position < 0 || !get().equals(earlier.get(position)); }

    /// The prompts of the subject's images, with its phrase as the placeholder, or those without a subject; newest
    /// first.
    private List<SubjectPrompt> promptsOfImages() {
        Subject now = subject.get();
        List<String> phrases = new ArrayList<>();
        if (now != null) {
            phrases.add(now.promptPhrase());
            phrases.add(now.className());
        }
        return gallery.prompts(now == null ? "" : now.name())
                .stream()
                .map(text -> phrases.stream()
                        .map(phrase -> SubjectPrompt.of(text, phrase))
                        .filter(found -> found.mention() == SubjectPrompt.Mention.SUBJECT)
                        .findFirst()
                        .orElse(SubjectPrompt.ofText(text)))
                .distinct()
                .toList();
    }
}
