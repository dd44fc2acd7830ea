package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.List;

/// Tokens that are recognized as a whole inside the text: some before it is normalized, some after.
record SpecialTokens(List<Special> raw, List<Special> normalized) {
    /// @param matched which text the token is looked for in
    record Special(String content, int id, Matched matched) {}

    enum Matched { RAW, NORMALIZED }

    /// A special token found at a place.
    record Found(int start, int end, int id) {}

    /// Later declarations of the same content replace earlier ones, as the reference adds them.
    static SpecialTokens of(List<Special> declared) {
        List<Special> raw = new ArrayList<>();
        List<Special> normalized = new ArrayList<>();
        for (Special special : declared) {
            raw.removeIf(earlier -> earlier.content.equals(special.content));
            normalized.removeIf(earlier -> earlier.content.equals(special.content));
            switch (special.matched) {
                case RAW -> raw.add(special);
                case NORMALIZED -> normalized.add(special);
            }
        }
        return new SpecialTokens(List.copyOf(raw), normalized.stream()
            .map(special -> new Special(ReferenceUnicode.normalize(special.content), special.id, special.matched)).toList());
    }

    /// The first of these tokens in text[from, to): leftmost, and the longest of those; of no length at `to` if there is none.
    static Found next(List<Special> specials, String text, int from, int to) {
        for (int at = from; at < to && !specials.isEmpty(); at++) {
            Found longest = new Found(at, at, 0);
            for (Special special : specials) {
                int end = at + special.content.length();
                if (end <= to && end > longest.end && text.startsWith(special.content, at)) longest = new Found(at, end, special.id);
            }
            if (longest.end > at) return longest;
        }
        return new Found(to, to, 0);
    }
}
