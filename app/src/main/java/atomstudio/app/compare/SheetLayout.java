package atomstudio.app.compare;

import java.util.ArrayList;
import java.util.List;

/// How a sheet's columns are laid out: prompts side by side, seeds within a prompt, and a new band below when a band is full.
/// @param omittedPrompts how many prompts the sheet has no room for; the page shows them all
record SheetLayout(List<List<PromptColumns>> bands, int omittedPrompts) {
    /// Columns of a band; more would make the sheet too wide to read.
    static final int MAX_COLUMNS_PER_BAND = 10;
    /// Columns of a sheet.
    private static final int MAX_COLUMNS = 120;

    SheetLayout {
        bands = bands.stream().map(List::copyOf).toList();
    }

    /// Neighbouring columns of one prompt.
    record PromptColumns(int prompt, List<Long> seeds) {}

    static SheetLayout of(Comparison comparison) {
        List<List<Long>> seedGroups = split(comparison.seeds());
        int prompts = Math.min(comparison.prompts().size(), Math.max(1, MAX_COLUMNS / comparison.seeds().size()));
        List<PromptColumns> spans = new ArrayList<>();
        for (int prompt = 0; prompt < prompts; prompt++) {
            for (List<Long> seeds : seedGroups) spans.add(new PromptColumns(prompt, seeds));
        }
        int groupsPerBand = Math.max(1, MAX_COLUMNS_PER_BAND / seedGroups.getFirst().size());
        return new SheetLayout(split(spans, groupsPerBand), comparison.prompts().size() - prompts);
    }

    /// Columns of the widest band.
    int columns() {
        return bands.stream().mapToInt(band -> band.stream().mapToInt(span -> span.seeds().size()).sum()).max().orElse(1);
    }

    /// Prompts side by side in the widest band.
    int spans() {
        return bands.stream().mapToInt(List::size).max().orElse(1);
    }

    private static List<List<Long>> split(List<Long> seeds) {
        return split(seeds, MAX_COLUMNS_PER_BAND);
    }

    /// As few parts as hold `most` each, and these as even as they go.
    private static <T> List<List<T>> split(List<T> all, int maxSize) {
        int count = Math.ceilDiv(all.size(), maxSize);
        List<List<T>> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) parts.add(all.subList(all.size() * i / count, all.size() * (i + 1) / count));
        return parts;
    }
}
