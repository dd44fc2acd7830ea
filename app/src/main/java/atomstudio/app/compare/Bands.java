package atomstudio.app.compare;

import java.util.ArrayList;
import java.util.List;

/// How a sheet's columns are laid out: prompts side by side, seeds within a prompt, and a new band below when a band is full.
/// @param leftOut how many prompts the sheet has no room for; the page shows them all
record Bands(List<List<Span>> bands, int leftOut) {
    /// Columns of a band; more would make the sheet too wide to read.
    static final int MOST_COLUMNS = 10;
    /// Columns of a sheet.
    private static final int MOST_ALTOGETHER = 120;

    Bands {
        bands = bands.stream().map(List::copyOf).toList();
    }

    /// Neighbouring columns of one prompt.
    record Span(int prompt, List<Long> seeds) {}

    static Bands of(Comparison comparison) {
        List<List<Long>> parts = parts(comparison.seeds());
        int prompts = Math.min(comparison.prompts().size(), Math.max(1, MOST_ALTOGETHER / comparison.seeds().size()));
        List<Span> spans = new ArrayList<>();
        for (int prompt = 0; prompt < prompts; prompt++) {
            for (List<Long> seeds : parts) spans.add(new Span(prompt, seeds));
        }
        int most = Math.max(1, MOST_COLUMNS / parts.getFirst().size());
        return new Bands(parts(spans, most), comparison.prompts().size() - prompts);
    }

    /// Columns of the widest band.
    int columns() {
        return bands.stream().mapToInt(band -> band.stream().mapToInt(span -> span.seeds().size()).sum()).max().orElse(1);
    }

    /// Prompts side by side in the widest band.
    int spans() {
        return bands.stream().mapToInt(List::size).max().orElse(1);
    }

    private static List<List<Long>> parts(List<Long> seeds) {
        return parts(seeds, MOST_COLUMNS);
    }

    /// As few parts as hold `most` each, and these as even as they go.
    private static <T> List<List<T>> parts(List<T> all, int most) {
        int count = Math.ceilDiv(all.size(), most);
        List<List<T>> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) parts.add(all.subList(all.size() * i / count, all.size() * (i + 1) / count));
        return parts;
    }
}
