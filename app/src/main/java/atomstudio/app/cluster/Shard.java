package atomstudio.app.cluster;

import java.util.List;
import java.util.stream.IntStream;

/// A part of a list of work: elements index, index + count, index + 2 count, …
/// @param index from 0
public record Shard(int index, int count) {
    public static final Shard ALL = new Shard(0, 1);

    public Shard {
        if (count < 1 || index < 0 || index >= count)
            throw new IllegalArgumentException(
                    "shard: expected I/N with I from 0 to N - 1, found " + index + "/" + count);
    }

    public <E> List<E> of(List<E> work) {
        return IntStream.range(0, work.size()).filter(i -> i % count == index).mapToObj(work::get).toList();
    }
}
