package atomstudio.diffusion.prompt;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Canonical order of combining marks. Java's normalizer has it too, but sorts by insertion: a hostile text of hundreds of
/// thousands of marks on one letter would take minutes. Source: The Unicode Standard, section 3.11, D109.
final class CanonicalOrdering {
    /// The mark that all others are moved before.
    private static final int LAST_MARK = 0x345;

    private CanonicalOrdering() {}

    /// The text decomposed, each run of marks sorted by combining class, equal classes as they came: canonically equivalent.
    static String apply(String text) {
        int[] codePoints = text.codePoints().flatMap(codePoint -> decompose(Character.toString(codePoint)).codePoints()).toArray();
        Map<Integer, Integer> ranks = ranks(codePoints);
        for (int from = 0; from < codePoints.length; ) {
            int to = from;
            while (to < codePoints.length && ranks.containsKey(codePoints[to])) to++;
            if (to > from + 1) sort(codePoints, from, to, ranks);
            from = to + 1;
        }
        return new String(codePoints, 0, codePoints.length);
    }

    /// Marks that move (their combining class is not 0), by the order of their classes.
    private static Map<Integer, Integer> ranks(int[] codePoints) {
        List<Integer> marks = new ArrayList<>(Arrays.stream(codePoints).distinct().filter(codePoint -> codePoint == LAST_MARK || isOrderedAfter(LAST_MARK, codePoint)).boxed().toList());
        marks.sort((a, b) -> isOrderedAfter(a, b) ? 1 : isOrderedAfter(b, a) ? -1 : 0);
        Map<Integer, Integer> ranks = new HashMap<>();
        int rank = 0;
        for (int i = 0; i < marks.size(); i++) {
            if (i > 0 && isOrderedAfter(marks.get(i), marks.get(i - 1))) rank++;
            ranks.put(marks.get(i), rank);
        }
        return ranks;
    }

    /// Whether canonical order puts the first of two marks behind the second.
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
