package atomstudio.tuning.setting;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// The names most like a mistyped one, for messages.
public final class CloseNames {
    private CloseNames() {}

    /// At most `count` names, the closest first, by Levenshtein's edit distance.
    public static List<String> of(String name, Collection<String> names, int count) {
        return names.stream()
                .distinct()
                .sorted(Comparator.comparingInt(candidate -> distance(name, candidate)))
                .limit(count)
                .toList();
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) row[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
