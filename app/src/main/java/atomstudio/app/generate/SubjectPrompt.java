package atomstudio.app.generate;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What is typed: words before and after the subject's phrase, which stands between them as a chip.
public record SubjectPrompt(String before, Mention mention, String after) {
    public enum Mention { SUBJECT, NONE }

    /// The prompt as the model gets it. The base model gets the class word as the phrase, tuned ones token and class
    /// word.
    public String text(String phrase) {
        Stream<String> parts = mention == Mention.SUBJECT ? Stream.of(before, phrase, after) : Stream.of(before, after);
        return parts.map(String::strip).filter(part -> !part.isEmpty()).collect(Collectors.joining(" "));
    }

    public SubjectPrompt with(Mention changed) {
        return new SubjectPrompt(before, changed, after);
    }
}
