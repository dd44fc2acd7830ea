package atomstudio.app.generate;

import java.util.stream.Stream;

/// A prompt with an optional placeholder for the subject between two texts.
public record SubjectPrompt(String before, Mention mention, String after) {
    public static final SubjectPrompt EMPTY = ofText("");

    public enum Mention { SUBJECT, NONE }

    /// A prompt without a placeholder.
    public static SubjectPrompt ofText(String text) {
        return new SubjectPrompt("", Mention.NONE, text);
    }

    /// A text with the placeholder in the place of the subject's phrase, if it contains the phrase as whole words.
    public static SubjectPrompt of(String text, String phrase) {
        String words = text.replaceAll("\\R", " ");
        int start = phrase.isEmpty() ? -1 : words.indexOf(phrase);
        int end = start + phrase.length();
        boolean isWholePhrase = start >= 0 && (start == 0 || !Character.isLetterOrDigit(words.charAt(start - 1)))
                && (end == words.length() || !Character.isLetterOrDigit(words.charAt(end)));
        return isWholePhrase
                ? new SubjectPrompt(words.substring(0, start).strip(), Mention.SUBJECT, words.substring(end).strip())
                : ofText(words);
    }

    /// The prompt for the text encoder.
    /// @param phrase replaces the placeholder: the class word for the base model, trigger and class word for a run
    public String text(String phrase) {
        Stream<String> parts = mention == Mention.SUBJECT ? Stream.of(before, phrase, after) : Stream.of(before, after);
        return parts.map(String::strip).filter(part -> !part.isEmpty()).reduce("", SubjectPrompt::join);
    }

    /// With a space, except after an opening bracket and before punctuation.
    private static String join(String before, String after) {
        boolean isClose = before.isEmpty() || "([<".indexOf(before.charAt(before.length() - 1)) >= 0
                || ",.;:!?)]>".indexOf(after.charAt(0)) >= 0;
        return before + (isClose ? "" : " ") + after;
    }

    public SubjectPrompt with(Mention changed) {
        return new SubjectPrompt(before, changed, after);
    }
}
