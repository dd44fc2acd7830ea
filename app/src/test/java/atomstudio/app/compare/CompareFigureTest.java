package atomstudio.app.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.CompareFigure.FigureMetric;
import atomstudio.app.compare.CompareFigure.FigureRow;
import atomstudio.app.compare.CompareFigure.RowMeasures;
import atomstudio.tuning.measure.BootstrapInterval;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class CompareFigureTest {
    private static BootstrapInterval around(double mean) {
        return new BootstrapInterval(mean, mean - 0.02, mean + 0.02);
    }

    private static FigureRow row(String title, long bytes, double likeness, double diversity, double alignment) {
        return new FigureRow(0, title, bytes, 8, Map.of(FigureMetric.LIKENESS, around(likeness), FigureMetric.DIVERSITY,
                around(diversity), FigureMetric.ALIGNMENT, around(alignment)));
    }

    private static final FigureRow LORA = row("LoRA", 100_000, 0.5, 0.2, 0.41);

    @Test
    void clearDifferencesAreSaidWithNumbers() {
        assertEquals("Atoms is 27% closer to your photos than LoRA (0.64 against 0.50), follows the prompt better "
                + "(0.55 against 0.41) and varies more (0.30 against 0.20), at 0.6 × the size.",
                CompareFigure.compare(row("Atoms", 60_000, 0.635, 0.3, 0.55), LORA));
        assertEquals("Atoms is less close to your photos than LoRA (0.40 against 0.50), follows the prompt less closely"
                + " (0.30 against 0.41) and varies less (0.10 against 0.20), at 12 × the size.",
                CompareFigure.compare(row("Atoms", 1_200_000, 0.4, 0.1, 0.3), LORA));
    }

    @Test
    void overlappingIntervalsAreNoClearDifference() {
        assertEquals("Atoms follows the prompt better than LoRA (0.55 against 0.41), at 1/160 of the size. "
                + "No clear difference in likeness and diversity.",
                CompareFigure.compare(row("Atoms", 625, 0.52, 0.22, 0.55), LORA));
        assertEquals("Atoms varies more than LoRA (0.30 against 0.20), at the same size. "
                + "No clear difference in likeness and alignment.",
                CompareFigure.compare(row("Atoms", 101_000, 0.49, 0.3, 0.41), LORA));
        assertEquals("No clear difference between Atoms and LoRA in likeness, alignment and diversity, "
                + "at 0.1 × the size.", CompareFigure.compare(row("Atoms", 9_900, 0.51, 0.2, 0.41), LORA));
    }

    @Test
    void absentMetricsAreNotMentioned() {
        FigureRow likenessOnly = new FigureRow(0, "A", 100_000, 8, Map.of(FigureMetric.LIKENESS, around(0.8)));
        assertEquals("A is 60% closer to your photos than LoRA (0.80 against 0.50), at the same size.",
                CompareFigure.compare(likenessOnly, LORA));
        assertEquals("", CompareFigure.compare(new FigureRow(0, "A", 1, 8, Map.of()), LORA));
    }

    @Test
    void ratiosOfNegativeCosinesAreNotSaid() {
        assertEquals("A is closer to your photos than B (0.20 against -0.10), at the same size.",
                CompareFigure.compare(new FigureRow(0, "A", 1, 8, Map.of(FigureMetric.LIKENESS, around(0.2))),
                        new FigureRow(0, "B", 1, 8, Map.of(FigureMetric.LIKENESS, around(-0.1)))));
    }

    @Test
    void fewImagesAreNotRead() {
        FigureRow few = new FigureRow(0, "A", 5, 3, LORA.intervals());
        assertEquals("An interval needs 4 images or more in each row.", CompareFigure.compare(few, LORA));
    }

    @Test
    void theSmallestAdapterIsReadAgainstTheLargestOrTheBaseModel() {
        FigureRow base = row("Base", 0, 0.2, 0.2, 0.41);
        FigureRow atoms = row("Atoms", 1000, 0.7, 0.2, 0.41);
        FigureRow middle = row("Middle", 5000, 0.9, 0.2, 0.41);
        assertTrue(new CompareFigure(List.of(base, LORA, middle, atoms)).sentence()
                .startsWith("Atoms is 40% closer to your photos than LoRA"));
        assertEquals("Atoms is 250% closer to your photos than Base (0.70 against 0.20). "
                + "No clear difference in alignment and diversity.",
                new CompareFigure(List.of(base, atoms)).sentence());
        assertEquals("", new CompareFigure(List.of(base)).sentence());
        assertEquals("", CompareFigure.EMPTY.sentence());
    }

    @Test
    void intervalsAreThoseOfTheImagesValues() {
        List<Double> likeness = List.of(0.4, 0.5, 0.6);
        ClipSamples samples = new ClipSamples(new ClipScores("e", OptionalDouble.of(0.5), OptionalDouble.empty(),
                OptionalDouble.empty()), likeness, List.of(), List.of());
        Map<FigureMetric, BootstrapInterval> expected = new EnumMap<>(FigureMetric.class);
        expected.put(FigureMetric.LIKENESS, BootstrapInterval.ofMean(new double[] {0.4, 0.5, 0.6}));
        assertEquals(expected, RowMeasures.of(samples, 3).intervals());
    }
}
