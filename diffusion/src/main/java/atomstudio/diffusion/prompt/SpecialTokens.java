package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Tokens that are recognized as a whole inside the text: some before it is normalized, some after.
record SpecialTokens(List<AddedToken> raw, List<AddedToken> normalized) {
    /// @param ids     what it becomes: one id, or several where a word stands for several rows of the table
    /// @param mode which text the token is looked for in
    record AddedToken(String content, List<Integer> ids, MatchMode mode) {
        AddedToken {
            ids = List.copyOf(ids);
        }

        /// Whether what stands around text[at, end) leaves it a token of its own.
        boolean isAllowedAt(String text, int at, int end) {
            return switch (mode) {
                case RAW, NORMALIZED -> true;
                case SINGLE_WORD -> !isInsideWord(text, at) && !isInsideWord(text, end);
            };
        }

        /// Whether a letter or number stands on both sides of a place.
        private static boolean isInsideWord(String text, int at) {
            return at > 0 && at < text.length() && isLetterOrNumber(text.codePointBefore(at))
                    && isLetterOrNumber(text.codePointAt(at));
        }

        private static boolean isLetterOrNumber(int codePoint) {
            return ReferenceUnicode.isLetter(codePoint) || ReferenceUnicode.isNumber(codePoint);
        }
    }

    /// In the text as written, in the normalized text, or there but only as a word by itself.
    enum MatchMode { RAW, NORMALIZED, SINGLE_WORD }

    /// A special token found at a place.
    record Match(int start, int end, List<Integer> ids) {}

    /// Later declarations of the same content replace earlier ones, as the reference adds them.
    static SpecialTokens of(List<AddedToken> declared) {
        List<AddedToken> raw = new ArrayList<>();
        List<AddedToken> normalized = new ArrayList<>();
        for (AddedToken token : declared) {
            raw.removeIf(earlier -> earlier.content.equals(token.content));
            normalized.removeIf(earlier -> earlier.content.equals(token.content));
            switch (token.mode) {
                case RAW -> raw.add(token);
                case NORMALIZED, SINGLE_WORD -> normalized.add(token);
            }
        }
        return new SpecialTokens(List.copyOf(raw), normalized.stream()
                .map(token -> new AddedToken(ReferenceUnicode.normalize(token.content), token.ids, token.mode))
                .toList());
    }

    /// Whether a token of this content is among them, as it was declared.
    boolean contains(String content) {
        String normalizedContent = ReferenceUnicode.normalize(content);
        return Stream.concat(raw.stream(), normalized.stream())
                .anyMatch(token -> token.content.equals(content) || token.content.equals(normalizedContent));
    }

    /// With one more, which must not be there yet.
    SpecialTokens with(AddedToken token) {
        List<AddedToken> all = new ArrayList<>(raw);
        all.addAll(normalized);
        String content = ReferenceUnicode.normalize(token.content);
        for (AddedToken other : all)
            if (ReferenceUnicode.normalize(other.content).equals(content))
                throw new IllegalArgumentException(
                        "word \"" + token.content + "\": the tokenizer has a token of this name already");
        all.add(token);
        return of(all);
    }

    /// The first of these tokens in text[from, to): leftmost, and the longest of those; of no length at `to` if there
    /// is none.
    static Match findNext(List<AddedToken> tokens, String text, int from, int to) {
        for (int at = from; at < to && !tokens.isEmpty(); at++) {
            Match longest = new Match(at, at, List.of());
            for (AddedToken token : tokens) {
                int end = at + token.content.length();
                if (end <= to && end > longest.end && text.startsWith(token.content, at)
                        && token.isAllowedAt(text, at, end))
                    longest = new Match(at, end, token.ids);
            }
            if (longest.end > at) return longest;
        }
        return new Match(to, to, List.of());
    }
}
