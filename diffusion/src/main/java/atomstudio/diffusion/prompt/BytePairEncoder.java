package atomstudio.diffusion.prompt;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.PriorityQueue;

/// Byte pair encoding: splits a word into bytes and applies the learned merges to adjacent tokens, lowest rank first.
/// Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2;
/// over bytes as in Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
final class BytePairEncoder {
    /// Suffix of tokens at the end of a word.
    static final String END_OF_WORD = "</w>";

    private final int[] innerIds = new int[256];
    private final int[] finalIds = new int[256];
    private final Map<Long, Merge> merges;
    private final int vocabularySize;

    /// The merged token of a pair, and its rank: the order in which the merge was learned.
    record Merge(int rank, int id) {}

    /// The tokens of a word, and the number of bytes that each covers.
    record Encoding(int[] ids, int[] byteLengths) {}

    private record Candidate(int rank, int position, int id) implements Comparable<Candidate> {
        @Override
        public int compareTo(Candidate other) {
            return rank != other.rank ? Integer.compare(rank, other.rank) : Integer.compare(position, other.position);
        }
    }

    /// @param unknownId the id of bytes that are not in the vocabulary
    /// @param merges by [#pairKey]
    BytePairEncoder(Map<String, Integer> vocabulary, int unknownId, Map<Long, Merge> merges) {
        for (int value = 0; value < 256; value++) {
            innerIds[value] = vocabulary.getOrDefault(Character.toString(byteToUnicode(value)), unknownId);
            finalIds[value] = vocabulary.getOrDefault(byteToUnicode(value) + END_OF_WORD, unknownId);
        }
        this.merges = merges;
        this.vocabularySize = vocabulary.isEmpty() ? 0 : Collections.max(vocabulary.values()) + 1;
    }

    /// The largest id plus one.
    int vocabularySize() {
        return vocabularySize;
    }

    static long pairKey(int left, int right) {
        return (long) left << 32 | right;
    }

    /// The character of a byte in vocabularies: the byte itself if printable, else a code point from 256.
    /// Source: GPT-2's `bytes_to_unicode`.
    static char byteToUnicode(int value) {
        if (isPrintable(value)) return (char) value;
        int unprintableBefore = 0;
        for (int other = 0; other < value; other++) unprintableBefore += isPrintable(other) ? 0 : 1;
        return (char) (256 + unprintableBefore);
    }

    private static boolean isPrintable(int value) {
        return value >= 33 && value <= 126 || value >= 161 && value <= 172 || value >= 174;
    }

    Encoding encode(String word) {
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) ids[i] = (i == bytes.length - 1 ? finalIds : innerIds)[bytes[i] & 0xFF];
        int[] lengths = new int[bytes.length];
        Arrays.fill(lengths, 1);
        applyMerges(ids, lengths);
        int count = 0;
        for (int i = 0; i < ids.length; i++) {
            if (lengths[i] == 0) continue;
            ids[count] = ids[i];
            lengths[count++] = lengths[i];
        }
        return new Encoding(Arrays.copyOf(ids, count), Arrays.copyOf(lengths, count));
    }

    /// The tokens are a linked list: a token covers bytes i to i + lengths[i] - 1, `previous` links backward.
    private void applyMerges(int[] ids, int[] lengths) {
        PriorityQueue<Candidate> queue = new PriorityQueue<>();
        int[] previous = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            previous[i] = i - 1;
            offer(queue, ids, i, i + 1);
        }
        while (!queue.isEmpty()) {
            Candidate best = queue.poll();
            int left = best.position;
            int right = left + lengths[left];
            if (lengths[left] == 0 || right == ids.length) continue;
            Merge merge = merges.get(pairKey(ids[left], ids[right]));
            if (merge == null || merge.id != best.id) continue;
            ids[left] = merge.id;
            lengths[left] += lengths[right];
            lengths[right] = 0;
            int next = left + lengths[left];
            if (next < ids.length) previous[next] = left;
            if (previous[left] >= 0) offer(queue, ids, previous[left], left);
            offer(queue, ids, left, next);
        }
    }

    private void offer(PriorityQueue<Candidate> queue, int[] ids, int left, int right) {
        Merge merge = right < ids.length ? merges.get(pairKey(ids[left], ids[right])) : null;
        if (merge != null) queue.add(new Candidate(merge.rank, left, merge.id));
    }
}
