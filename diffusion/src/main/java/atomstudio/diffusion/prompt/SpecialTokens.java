package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Added tokens, which are matched as a whole in the raw or in the normalized text.
record SpecialTokens(List<AddedToken> raw, List<AddedToken> normalized) {
    /// @param ids one id, or several for a word with several embeddings
    record AddedToken(String content, List<Integer> ids, MatchMode mode) {
        AddedToken {
            ids = List.copyOf(ids);
        }

        /// Whether the characters around text[at, end) permit a match.
        boolean isAllowedAt(String text, int at, int end) {
            return switch (mode) {
                case RAW, NORMALIZED -> true;
                case SINGLE_WORD -> !isInsideWord(text, at) && !isInsideWord(text, end);
            };
        }

        /// Whether the characters before and after an index are both letters or digits.
        private static boolean isInsideWord(String text, int at) {
            return at > 0 && at < text.length() && isLetterOrNumber(text.codePointBefore(at))
                    && isLetterOrNumber(text.codePointAt(at));
        }

        private static boolean isLetterOrNumber(int codePoint) {
            return ReferenceUnicode.isLetter(codePoint) || ReferenceUnicode.isNumber(codePoint);
        }
    }

    /// Match in the raw text, in the normalized text, or in the normalized text as a whole word only.
    enum MatchMode { RAW, NORMALIZED, SINGLE_WORD }

    record Match(int start, int end, List<Integer> ids) {}

    /// As in the reference, later declarations of the same content replace earlier ones.
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

    /// Whether there is a token of this content, as declared or normalized.
    boolean contains(String content) {
        String normalizedContent = ReferenceUnicode.normalize(content);
        return Stream.concat(raw.stream(), normalized.stream())
                .anyMatch(token -> token.content.equals(content) || token.content.equals(normalizedContent));
    }

    /// Adds a token.
    /// @throws IllegalArgumentException when there is one of equal content
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

    /// The leftmost longest match of these tokens in text[from, to); an empty match at `to` if there is none.
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
