package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import java.util.List;
import java.util.OptionalDouble;

/// A small comparison whose images are plain colours, one for each row, prompt and seed.
final class ComparisonExamples {
    static final int SIDE = 64;

    private ComparisonExamples() {}

    static Comparison comparison(List<String> prompts, List<Long> seeds) {
        return new Comparison("models/small", "car", "sks", prompts, seeds, List.of(ComparisonRow.base(),
                new ComparisonRow("atoms", "runs/atoms", 2268, 11_234, 38.25),
                new ComparisonRow("lora", "runs/lora", 65_792, 270_456, 125)));
    }

    /// The same with metrics: all three, without alignment, and without diversity.
    static Comparison measured(Comparison comparison) {
        List<ComparisonRow> rows = comparison.rows();
        return comparison
                .with(List.of(rows.get(0).with(measures(0.31, OptionalDouble.of(0.03), OptionalDouble.of(0.8))),
                        rows.get(1).with(measures(0.456, OptionalDouble.of(0.06), OptionalDouble.empty())),
                        rows.get(2).with(measures(0.5, OptionalDouble.empty(), OptionalDouble.of(-0.125)))));
    }

    private static ClipScores measures(double likeness, OptionalDouble diversity, OptionalDouble alignment) {
        return new ClipScores("image_encoder of Small", OptionalDouble.of(likeness), diversity, alignment);
    }

    static Comparison.ReportContent showing(Comparison comparison) {
        return new Comparison.ReportContent(comparison, List.of(RgbImage.filled(20, 10, 0xFF8000)),
                "Small · DDIM, 25 steps · guidance 4", "Atom Studio 0.1");
    }

    static Comparison.ImageLookup gallery(Comparison comparison) {
        return (row, prompt, seed) -> RgbImage.filled(SIDE, SIDE, colour(comparison.rows().indexOf(row), prompt, seed));
    }

    static int colour(int row, int prompt, long seed) {
        return (40 + 60 * row) << 16 | (20 + 17 * prompt) << 8 | (int) (30 + 50 * seed);
    }
}
