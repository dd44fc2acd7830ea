package atomstudio.tuning.data;

import atomstudio.tuning.method.CounterRng;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Chooses the examples of each batch: in shuffled epochs, each example according to its repeats, and in a batch
/// only examples of one shape (aspect ratio bucketing). A function of seed and batch number alone.
/// @param shapes of the examples; equal where every batch crops the same square
/// @param repeats of the examples
public record EpochSampler(CounterRng rng, int batchSize, List<String> shapes, List<Integer> repeats) {
    /// Indices of the examples of the n-th batch, counted from 0.
    public List<Integer> batch(long batchIndex) {
        List<Integer> epoch = epoch();
        List<List<Integer>> buckets = buckets(epoch);
        int bucketIndex = 0;
        long earlierBatches = batchIndex;
        if (buckets.size() > 1) {
            int[] order = permutation(stream("bucket " + batchIndex / epoch.size()), epoch.size());
            int position = (int) (batchIndex % epoch.size());
            while (!buckets.get(bucketIndex).contains(epoch.get(order[position]))) bucketIndex++;
            List<Integer> bucket = buckets.get(bucketIndex);
            earlierBatches = batchIndex / epoch.size() * bucket.size();
            for (int j = 0; j < position; j++) if (bucket.contains(epoch.get(order[j]))) earlierBatches++;
        }
        List<Integer> bucket = buckets.get(bucketIndex);
        String shuffleStream = (bucketIndex == 0 ? "" : "bucket " + bucketIndex + " ") + "round ";
        List<Integer> indices = new ArrayList<>();
        for (long k = earlierBatches * batchSize; k < (earlierBatches + 1) * batchSize; k++) {
            int[] order = permutation(stream(shuffleStream + k / bucket.size()), bucket.size());
            indices.add(bucket.get(order[(int) (k % bucket.size())]));
        }
        return indices;
    }

    private CounterRng stream(String name) {
        return new CounterRng(rng.seed(), rng.stream() + name);
    }

    /// The examples of one epoch. Repeats are divided by their common divisor, so that equal repeats change nothing.
    private List<Integer> epoch() {
        int divisor = 0;
        for (int each : repeats)
            divisor = BigInteger.valueOf(divisor).gcd(BigInteger.valueOf(each)).intValueExact();
        List<Integer> epoch = new ArrayList<>();
        for (int i = 0; i < repeats.size(); i++) epoch.addAll(Collections.nCopies(repeats.get(i) / divisor, i));
        return epoch;
    }

    /// The examples of an epoch by shape.
    private List<List<Integer>> buckets(List<Integer> epoch) {
        Map<String, List<Integer>> buckets = new LinkedHashMap<>();
        for (int i : epoch) buckets.computeIfAbsent(shapes.get(i), _ -> new ArrayList<>()).add(i);
        return List.copyOf(buckets.values());
    }

    /// A random permutation (Fisher and Yates).
    static int[] permutation(CounterRng rng, int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = rng.randint(i + 1, i);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
