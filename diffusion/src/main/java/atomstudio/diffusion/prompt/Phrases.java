package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Names that are recognized by how they are read: wherever the ids of one follow one another it becomes its own ids, the longest first.
/// Source: AUTOMATIC1111's stable-diffusion-webui, how it finds textual inversions in prompts.
record Phrases(List<Phrase> longestFirst) {
    record Phrase(int[] read, int[] becomes) {}

    static Phrases none() {
        return new Phrases(List.of());
    }

    Phrases plus(int[] read, List<Integer> becomes) {
        List<Phrase> all = new ArrayList<>(longestFirst);
        all.add(new Phrase(read, becomes.stream().mapToInt(Integer::intValue).toArray()));
        all.sort((a, b) -> Integer.compare(b.read.length, a.read.length));
        return new Phrases(List.copyOf(all));
    }

    List<int[]> join(List<int[]> pieces) {
        if (longestFirst.isEmpty()) return pieces;
        List<int[]> joined = new ArrayList<>();
        for (int at = 0; at < pieces.size(); ) {
            int start = at;
            Phrase found = longestFirst.stream().filter(phrase -> standsAt(phrase, pieces, start)).findFirst().orElse(null);
            joined.add(found == null ? pieces.get(at) : found.becomes);
            at += found == null ? 1 : found.read.length;
        }
        return joined;
    }

    private static boolean standsAt(Phrase phrase, List<int[]> pieces, int at) {
        if (at + phrase.read.length > pieces.size()) return false;
        return Arrays.equals(phrase.read, pieces.subList(at, at + phrase.read.length).stream().mapToInt(piece -> piece.length == 1 ? piece[0] : -1).toArray());
    }
}
