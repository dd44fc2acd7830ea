package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.measure.BootstrapInterval;
import atomstudio.tuning.measure.ClipSamples;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Likeness, diversity and alignment of rows with their intervals, and what they mean in words.
/// @param rows the base model first
public record CompareFigure(List<FigureRow> rows) {
    public static final CompareFigure EMPTY = new CompareFigure(List.of());
    /// With fewer images an interval is of little use.
    static final int MIN_IMAGES = 4;
    private static final double EQUAL_SIZE = 0.05;
    private static final List<FigureMetric> READING_ORDER = List.of(FigureMetric.LIKENESS, FigureMetric.ALIGNMENT,
            FigureMetric.DIVERSITY);

    public CompareFigure {
        rows = List.copyOf(rows);
    }

    public enum FigureMetric {
        LIKENESS, DIVERSITY, ALIGNMENT;

        public String title() {
            return switch (this) {
                case LIKENESS -> text("compare.likeness");
                case DIVERSITY -> text("compare.diversity");
                case ALIGNMENT -> text("compare.alignment");
            };
        }

        private List<Double> values(ClipSamples samples) {
            return switch (this) {
                case LIKENESS -> samples.likeness();
                case DIVERSITY -> samples.diversity();
                case ALIGNMENT -> samples.alignment();
            };
        }
    }

    /// The measured images of a row.
    /// @param intervals without the metrics that are absent
    record RowMeasures(ClipSamples samples, int images, Map<FigureMetric, BootstrapInterval> intervals) {
        /// Draws the resamples: for job threads.
        static RowMeasures of(ClipSamples samples, int images) {
            Map<FigureMetric, BootstrapInterval> intervals = new EnumMap<>(FigureMetric.class);
            for (FigureMetric metric : FigureMetric.values()) {
                double[] values = metric.values(samples).stream().mapToDouble(Double::doubleValue).toArray();
                if (values.length > 0) intervals.put(metric, BootstrapInterval.ofMean(values));
            }
            return new RowMeasures(samples, images, intervals);
        }
    }

    /// A row of the figure.
    /// @param index of the row in the table, for its colour
    /// @param bytes of the adapter file; 0 for the base model
    public record FigureRow(int index, String title, long bytes, int images,
            Map<FigureMetric, BootstrapInterval> intervals) {}

    /// The largest number of images of a row.
    public int images() {
        return rows.stream().mapToInt(FigureRow::images).max().orElse(0);
    }

    /// Reads the figure: the smallest adapter compared with the largest, or a single one with the base model. Empty
    /// without two rows.
    public String sentence() {
        List<FigureRow> adapters = new ArrayList<>(rows.stream().filter(row -> row.bytes > 0).toList());
        Optional<FigureRow> base = rows.stream().filter(row -> row.bytes == 0).findFirst();
        adapters.sort(Comparator.comparingLong(FigureRow::bytes));
        if (adapters.size() > 1) return compare(adapters.getFirst(), adapters.getLast());
        return adapters.isEmpty() || base.isEmpty() ? "" : compare(adapters.getFirst(), base.get());
    }

    static String compare(FigureRow row, FigureRow other) {
        if (Math.min(row.images, other.images) < MIN_IMAGES) return text("compare.reads.few", MIN_IMAGES);
        List<String> clear = new ArrayList<>();
        List<String> unclear = new ArrayList<>();
        for (FigureMetric metric : READING_ORDER) {
            BootstrapInterval value = row.intervals.get(metric);
            BootstrapInterval reference = other.intervals.get(metric);
            if (value == null || reference == null) continue;
            boolean above = value.isAbove(reference);
            if (!above && !reference.isAbove(value)) unclear.add(metric.title().toLowerCase(Locale.ROOT));
            else clear.add(clause(metric, value, reference, clear.isEmpty() ? other.title : ""));
        }
        if (clear.isEmpty() && unclear.isEmpty()) return "";
        String size = other.bytes == 0 ? "" : size((double) row.bytes / other.bytes);
        if (clear.isEmpty()) return text("compare.reads.unclear", row.title, other.title, joined(unclear), size);
        String sentence = text("compare.reads.clear", row.title, joined(clear), size);
        return unclear.isEmpty() ? sentence : sentence + " " + text("compare.reads.rest", joined(unclear));
    }

    /// @param than the other row in the first clause; empty in those that follow
    private static String clause(FigureMetric metric, BootstrapInterval value, BootstrapInterval other, String than) {
        boolean above = value.isAbove(other);
        String object = than.isEmpty() ? "" : text("compare.reads.than", than);
        String numbers = text("compare.reads.numbers", number(value), number(other));
        long percent = Math.round(100 * (value.mean() / other.mean() - 1));
        return switch (metric) {
            case LIKENESS -> above && other.mean() > 0 && percent > 0
                    ? text("compare.reads.percent-closer", percent, object, numbers)
                    : text(above ? "compare.reads.closer" : "compare.reads.less-close", object, numbers);
            case DIVERSITY -> text(above ? "compare.reads.varies-more" : "compare.reads.varies-less", object, numbers);
            case ALIGNMENT -> text(above ? "compare.reads.follows-more" : "compare.reads.follows-less", object,
                    numbers);
        };
    }

    private static String number(BootstrapInterval interval) {
        return String.format(Locale.ROOT, "%.2f", interval.mean());
    }

    private static String size(double ratio) {
        if (Math.abs(ratio - 1) < EQUAL_SIZE) return text("compare.reads.same-size");
        if (ratio < 0.095) return text("compare.reads.fraction", Math.round(1 / ratio));
        return text("compare.reads.size",
                ratio < 9.5 ? String.format(Locale.ROOT, "%.1f", ratio) : Long.toString(Math.round(ratio)));
    }

    /// `a`, `a and b`, `a, b and c`.
    private static String joined(List<String> parts) {
        if (parts.size() == 1) return parts.getFirst();
        return text("compare.reads.and", String.join(", ", parts.subList(0, parts.size() - 1)), parts.getLast());
    }
}
