package atomstudio.diffusion.prompt;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The Unicode rules of the reference tokenizer's libraries: character classes of Unicode 16 (as Java 25), canonical
/// composition of Unicode 9 (later combining marks are neither reordered nor composed), lower case of Unicode 17.
final class ReferenceUnicode {
    /// Combining marks and composing characters added after Unicode 9: first and last of each range.
    private static final int[] NEWER_MARKS = {
            0x7FD, 0x7FD, 0x897, 0x89F, 0x8CA, 0x8D3, 0x9FE, 0x9FE, 0xC3C, 0xC3C, 0xD3B, 0xD3C, 0xEBA, 0xEBA, 0x1715,
            0x1715, 0x1ABF, 0x1ACE,
            0x1DF6, 0x1DFA, 0xA82C, 0xA82C, 0x105D2, 0x105D2, 0x105DA, 0x105DA, 0x10D24, 0x10D27, 0x10D69, 0x10D6D,
            0x10EAB, 0x10EAC, 0x10EFD, 0x10EFF,
            0x10F46, 0x10F50, 0x10F82, 0x10F85, 0x11070, 0x11070, 0x1133B, 0x1133B, 0x113B8, 0x113B8, 0x113BB, 0x113BB,
            0x113C2, 0x113C9,
            0x113CE, 0x113D0, 0x1145E, 0x1145E, 0x11839, 0x1183A, 0x11930, 0x11930, 0x1193D, 0x1193E, 0x11943, 0x11943,
            0x119E0, 0x119E0,
            0x11A34, 0x11A34, 0x11A47, 0x11A47, 0x11A99, 0x11A99, 0x11D42, 0x11D42, 0x11D44, 0x11D45, 0x11D97, 0x11D97,
            0x11F41, 0x11F42,
            0x1611E, 0x1612F, 0x16D63, 0x16D6A, 0x16FF0, 0x16FF1, 0x1E08F, 0x1E08F, 0x1E130, 0x1E136, 0x1E2AE, 0x1E2AE,
            0x1E2EC, 0x1E2EF,
            0x1E4EC, 0x1E4EF, 0x1E5EE, 0x1E5EF};

    /// Text length in characters from which the combining marks are sorted before composition.
    private static final int SORT_FROM_LENGTH = 1024;

    private ReferenceUnicode() {}

    static boolean isSpace(int codePoint) {
        return codePoint >= 0x9 && codePoint <= 0xD || codePoint == 0x85 || Character.isSpaceChar(codePoint);
    }

    static boolean isLetter(int codePoint) {
        return Character.isLetter(codePoint);
    }

    static boolean isNumber(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
            default -> false;
        };
    }

    /// Canonical composition (NFC), then lower case by code point, without context-sensitive rules.
    static String normalize(String text) {
        StringBuilder normalized = new StringBuilder(text.length());
        int start = 0;
        for (int at = 0; at < text.length();) {
            int codePoint = text.codePointAt(at);
            int next = at + Character.charCount(codePoint);
            if (codePoint >= NEWER_MARKS[0] && isNewerMark(codePoint)) {
                appendLower(compose(text.substring(start, at)), normalized);
                appendLower(codePoint, normalized);
                start = next;
            }
            at = next;
        }
        appendLower(compose(text.substring(start)), normalized);
        return normalized.toString();
    }

    private static String compose(String text) {
        return Normalizer.normalize(text.length() < SORT_FROM_LENGTH ? text : CanonicalOrdering.apply(text),
                Normalizer.Form.NFC);
    }

    private static boolean isNewerMark(int codePoint) {
        for (int i = 0; i < NEWER_MARKS.length && NEWER_MARKS[i] <= codePoint; i += 2) {
            if (codePoint <= NEWER_MARKS[i + 1]) return true;
        }
        return false;
    }

    private static void appendLower(String text, StringBuilder output) {
        text.codePoints().forEach(codePoint -> appendLower(codePoint, output));
    }

    private static void appendLower(int codePoint, StringBuilder output) {
        if (codePoint == 0x130) {
            output.append("i\u0307");
        } else if (codePoint == 0xA7CE || codePoint == 0xA7D2 || codePoint == 0xA7D4) {
            output.appendCodePoint(codePoint + 1);
        } else if (codePoint >= 0x16EA0 && codePoint <= 0x16EB8) {
            output.appendCodePoint(codePoint + 0x1B);
        } else {
            output.appendCodePoint(Character.toLowerCase(codePoint));
        }
    }

    /// Canonical ordering of combining marks in linear time. Java's normalizer uses insertion sort, which takes minutes
    /// for an adversarial text of hundreds of thousands of marks on one letter.
    /// Source: The Unicode Standard, section 3.11, D109.
    static final class CanonicalOrdering {
        /// The mark of the highest combining class.
        private static final int LAST_MARK = 0x345;

        private CanonicalOrdering() {}

        /// Decomposes the text and sorts each run of marks stably by combining class; the result is canonically
        /// equivalent.
        static String apply(String text) {
            int[] codePoints = text.codePoints()
                    .flatMap(codePoint -> decompose(Character.toString(codePoint)).codePoints())
                    .toArray();
            Map<Integer, Integer> ranks = ranks(codePoints);
            for (int from = 0; from < codePoints.length;) {
                int to = from;
                while (to < codePoints.length && ranks.containsKey(codePoints[to])) to++;
                if (to > from + 1) sort(codePoints, from, to, ranks);
                from = to + 1;
            }
            return new String(codePoints, 0, codePoints.length);
        }

        /// The rank of each mark (combining class not 0) in the order of combining classes.
        private static Map<Integer, Integer> ranks(int[] codePoints) {
            List<Integer> marks = new ArrayList<>(Arrays.stream(codePoints)
                    .distinct()
                    .filter(codePoint -> codePoint == LAST_MARK || isOrderedAfter(LAST_MARK, codePoint))
                    .boxed()
                    .toList());
            marks.sort((a, b) -> isOrderedAfter(a, b) ? 1 : isOrderedAfter(b, a) ? -1 : 0);
            Map<Integer, Integer> ranks = new HashMap<>();
            int rank = 0;
            for (int i = 0; i < marks.size(); i++) {
                if (i > 0 && isOrderedAfter(marks.get(i), marks.get(i - 1))) rank++;
                ranks.put(marks.get(i), rank);
            }
            return ranks;
        }

        /// Whether canonical ordering places the first of two marks after the second.
        private static boolean isOrderedAfter(int first, int second) {
            String pair = Character.toString(first) + Character.toString(second);
            return !decompose(pair).equals(pair);
        }

        private static void sort(int[] codePoints, int from, int to, Map<Integer, Integer> ranks) {
            int[] offsets = new int[ranks.size() + 1];
            for (int i = from; i < to; i++) offsets[ranks.get(codePoints[i]) + 1]++;
            for (int rank = 1; rank < offsets.length; rank++) offsets[rank] += offsets[rank - 1];
            int[] sorted = new int[to - from];
            for (int i = from; i < to; i++) sorted[offsets[ranks.get(codePoints[i])]++] = codePoints[i];
            System.arraycopy(sorted, 0, codePoints, from, sorted.length);
        }

        private static String decompose(String text) {
            return Normalizer.normalize(text, Normalizer.Form.NFD);
        }
    }
}
