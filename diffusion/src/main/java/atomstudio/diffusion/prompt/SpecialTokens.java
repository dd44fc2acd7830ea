package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Tokens that are recognized as a whole inside the text: some before it is normalized, some after.
record SpecialTokens(List<Special> raw, List<Special> normalized) {
    /// @param ids     what it becomes: one id, or several where a word stands for several rows of the table
    /// @param matched which text the token is looked for in
    record Special(String content, List<Integer> ids, Matched matched) {
        Special {
            ids = List.copyOf(ids);
        }

        /// Whether what stands around text[at, end) leaves it a token of its own.
        boolean free(String text, int at, int end) {
            return switch (matched) {
                case RAW, NORMALIZED -> true;
                case WORD -> !joined(text, at) && !joined(text, end);
            };
        }

        /// Whether a letter or number stands on both sides of a place.
        private static boolean joined(String text, int at) {
            return at > 0 && at < text.length() && letterOrNumber(text.codePointBefore(at)) && letterOrNumber(text.codePointAt(at));
        }

        private static boolean letterOrNumber(int codePoint) {
            return ReferenceUnicode.isLetter(codePoint) || ReferenceUnicode.isNumber(codePoint);
        }
    }

    /// In the text as written, in the normalized text, or there but only as a word by itself.
    enum Matched { RAW, NORMALIZED, WORD }

    /// A special token found at a place.
    record Found(int start, int end, List<Integer> ids) {}

    /// Later declarations of the same content replace earlier ones, as the reference adds them.
    static SpecialTokens of(List<Special> declared) {
        List<Special> raw = new ArrayList<>();
        List<Special> normalized = new ArrayList<>();
        for (Special special : declared) {
            raw.removeIf(earlier -> earlier.content.equals(special.content));
            normalized.removeIf(earlier -> earlier.content.equals(special.content));
            switch (special.matched) {
                case RAW -> raw.add(special);
                case NORMALIZED, WORD -> normalized.add(special);
            }
        }
        return new SpecialTokens(List.copyOf(raw), normalized.stream()
            .map(special -> new Special(ReferenceUnicode.normalize(special.content), special.ids, special.matched)).toList());
    }

    /// Whether a token of this content is among them, as it was declared.
    boolean has(String content) {
        String read = ReferenceUnicode.normalize(content);
        return Stream.concat(raw.stream(), normalized.stream()).anyMatch(special -> special.content.equals(content) || special.content.equals(read));
    }

    /// With one more, which must not be there yet.
    SpecialTokens plus(Special special) {
        List<Special> all = new ArrayList<>(raw);
        all.addAll(normalized);
        String content = ReferenceUnicode.normalize(special.content);
        for (Special other : all) if (ReferenceUnicode.normalize(other.content).equals(content)) throw new IllegalArgumentException("word \"" + special.content + "\": the tokenizer has a token of this name already");
        all.add(special);
        return of(all);
    }

    /// The first of these tokens in text[from, to): leftmost, and the longest of those; of no length at `to` if there is none.
    static Found next(List<Special> specials, String text, int from, int to) {
        for (int at = from; at < to && !specials.isEmpty(); at++) {
            Found longest = new Found(at, at, List.of());
            for (Special special : specials) {
                int end = at + special.content.length();
                if (end <= to && end > longest.end && text.startsWith(special.content, at) && special.free(text, at, end)) longest = new Found(at, end, special.ids);
            }
            if (longest.end > at) return longest;
        }
        return new Found(to, to, List.of());
    }
}
