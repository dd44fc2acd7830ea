package atomstudio.diffusion.prompt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Names that are recognized by how they are read: wherever the ids of one follow one another it becomes its own ids, the longest first.
/// Source: AUTOMATIC1111's stable-diffusion-webui, how it finds textual inversions in prompts.
record EmbeddingPhrases(List<Phrase> longestFirst) {
    record Phrase(int[] pattern, int[] replacement) {}

    static EmbeddingPhrases empty() {
        return new EmbeddingPhrases(List.of());
    }

    EmbeddingPhrases with(int[] pattern, List<Integer> replacement) {
        List<Phrase> all = new ArrayList<>(longestFirst);
        all.add(new Phrase(pattern, replacement.stream().mapToInt(Integer::intValue).toArray()));
        all.sort((a, b) -> Integer.compare(b.pattern.length, a.pattern.length));
        return new EmbeddingPhrases(List.copyOf(all));
    }

    List<int[]> replace(List<int[]> pieces) {
        if (longestFirst.isEmpty()) return pieces;
        List<int[]> replaced = new ArrayList<>();
        for (int at = 0; at < pieces.size(); ) {
            int start = at;
            Phrase found = longestFirst.stream().filter(phrase -> matchesAt(phrase, pieces, start)).findFirst().orElse(null);
            replaced.add(found == null ? pieces.get(at) : found.replacement);
            at += found == null ? 1 : found.pattern.length;
        }
        return replaced;
    }

    private static boolean matchesAt(Phrase phrase, List<int[]> pieces, int at) {
        if (at + phrase.pattern.length > pieces.size()) return false;
        return Arrays.equals(phrase.pattern, pieces.subList(at, at + phrase.pattern.length).stream().mapToInt(piece -> piece.length == 1 ? piece[0] : -1).toArray());
    }
}
