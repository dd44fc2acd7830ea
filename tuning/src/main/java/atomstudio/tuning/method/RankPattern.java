package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Ranks of some layers that differ from the method's, as peft's `rank_pattern`: the first entry that matches a layer
/// applies. α / rank is the same for all layers.
record RankPattern(List<Entry> entries) {
    record Entry(LayerSelector layers, int rank) {}

    RankPattern {
        entries = List.copyOf(entries);
        for (Entry entry : entries)
            if (entry.rank < 1)
                throw new IllegalArgumentException("rank-pattern: expected ranks of at least 1, found " + entry.rank);
    }

    /// From `up_blocks.*=8;attention,mid_block.*=2`.
    /// @throws IllegalArgumentException that starts with the setting's name
    static RankPattern parse(String text) {
        List<Entry> entries = new ArrayList<>();
        for (String item : text.isBlank() ? new String[0] : text.split(";")) {
            int equals = item.lastIndexOf('=');
            try {
                entries.add(new Entry(LayerSelector.parse(item.substring(0, equals)),
                        Integer.parseInt(item.substring(equals + 1).strip())));
            } catch (IndexOutOfBoundsException | NumberFormatException e) {
                throw new IllegalArgumentException(
                        "rank-pattern: expected layers and ranks such as up_blocks.*=8, found " + item, e);
            }
        }
        return new RankPattern(entries);
    }

    /// The rank of a layer; `rank` where no entry matches.
    int rankOf(Layer layer, int rank) {
        return entries.stream()
                .filter(entry -> entry.layers.matches(layer))
                .findFirst()
                .map(Entry::rank)
                .orElse(rank);
    }

    @Override
    public String toString() {
        return entries.stream().map(entry -> entry.layers + "=" + entry.rank).collect(Collectors.joining(";"));
    }
}
