package atomstudio.diffusion.prompt;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Canonical order of combining marks. Java's normalizer has it too, but sorts by insertion: a hostile text of hundreds of
/// thousands of marks on one letter would take minutes. Source: The Unicode Standard, section 3.11, D109.
final class MarkOrder {
    /// The mark that all others are moved before.
    private static final int LAST = 0x345;

    private MarkOrder() {}

    /// The text decomposed, each run of marks sorted by combining class, equal classes as they came: canonically equivalent.
    static String sorted(String text) {
        int[] points = text.codePoints().flatMap(point -> decomposed(Character.toString(point)).codePoints()).toArray();
        Map<Integer, Integer> ranks = ranks(points);
        for (int from = 0; from < points.length; ) {
            int to = from;
            while (to < points.length && ranks.containsKey(points[to])) to++;
            if (to > from + 1) sort(points, from, to, ranks);
            from = to + 1;
        }
        return new String(points, 0, points.length);
    }

    /// Marks that move (their combining class is not 0), by the order of their classes.
    private static Map<Integer, Integer> ranks(int[] points) {
        List<Integer> marks = new ArrayList<>(Arrays.stream(points).distinct().filter(point -> point == LAST || follows(LAST, point)).boxed().toList());
        marks.sort((a, b) -> follows(a, b) ? 1 : follows(b, a) ? -1 : 0);
        Map<Integer, Integer> ranks = new HashMap<>();
        int rank = 0;
        for (int i = 0; i < marks.size(); i++) {
            if (i > 0 && follows(marks.get(i), marks.get(i - 1))) rank++;
            ranks.put(marks.get(i), rank);
        }
        return ranks;
    }

    /// Whether canonical order puts the first of two marks behind the second.
    private static boolean follows(int first, int second) {
        String pair = Character.toString(first) + Character.toString(second);
        return !decomposed(pair).equals(pair);
    }

    private static void sort(int[] points, int from, int to, Map<Integer, Integer> ranks) {
        int[] places = new int[ranks.size() + 1];
        for (int i = from; i < to; i++) places[ranks.get(points[i]) + 1]++;
        for (int rank = 1; rank < places.length; rank++) places[rank] += places[rank - 1];
        int[] sorted = new int[to - from];
        for (int i = from; i < to; i++) sorted[places[ranks.get(points[i])]++] = points[i];
        System.arraycopy(sorted, 0, points, from, sorted.length);
    }

    private static String decomposed(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFD);
    }
}
