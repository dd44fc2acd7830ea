package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.experiment.Plot.PlotCurves.Axis;
import atomstudio.app.experiment.Plot.PlotCurves.Curve;
import atomstudio.app.experiment.Plot.PlotCurves.CurvePoint;
import atomstudio.diffusion.image.RgbImage;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PlotTest {
    private static final List<ExperimentRow> TEST = List.of(
            ExperimentRows.of(ExperimentRows.test("owl", "atoms", 0, 400), 0.6, 0.2),
            ExperimentRows.of(ExperimentRows.test("owl", "atoms", 1, 400), 0.8, 0.4),
            ExperimentRows.of(ExperimentRows.test("owl", "atoms", 0, 200), 0.4, 0.5),
            ExperimentRows.of(ExperimentRows.test("teapot", "atoms", 0, 400), 0.1, 0.1),
            ExperimentRows.of(ExperimentRows.test("owl", "lora-4", 0, 400), 0.5, 0.3));

    @Test
    void aCurveGoesThroughTheCheckpointsInTheirOrderAveragedOverSeeds() {
        Plot.PlotCurves curves = Plot.PlotCurves.of(TEST);
        Curve atoms = curves.of(ExperimentSubject.SubjectKind.KNOWN_CLASS, Axis.ALIGNMENT).getFirst();
        assertEquals("atoms", atoms.method());
        assertEquals(2, atoms.points().size());
        assertEquals(new CurvePoint(0.5, 0.4), atoms.points().getFirst());
        assertEquals(0.3, atoms.points().getLast().x(), 1e-9);
        assertEquals(0.7, atoms.points().getLast().likeness(), 1e-9);
        assertEquals(List.of(), curves.of(ExperimentSubject.SubjectKind.KNOWN_CLASS, Axis.DIVERSITY),
                "nothing is drawn where a number is missing");
    }

    @Test
    void theTwoKindsOfSubjectStandApart() {
        Plot.PlotCurves curves = Plot.PlotCurves.of(TEST);
        assertEquals(List.of(ExperimentSubject.SubjectKind.KNOWN_CLASS, ExperimentSubject.SubjectKind.NEW_CLASS),
                curves.subjectKinds());
        assertEquals(List.of("teapot"), curves.subjects(ExperimentSubject.SubjectKind.NEW_CLASS));
        RgbImage both = Plot.draw(TEST);
        RgbImage one = Plot.draw(TEST.subList(0, 3));
        assertTrue(both.height() > one.height() + 500, "a row of diagrams each");
        assertEquals(both, Plot.draw(TEST), "equal tables give equal plots");
    }

    @Test
    void ofTheTuningPhaseEachMethodsBestRateIsShown() {
        List<ExperimentRow> tune = List.of(ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 0.01, 400), 0.3, 0.3),
                ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 0.03, 400), 0.6, 0.6));
        assertEquals(List.of(new Curve("atoms", List.of(new CurvePoint(0.6, 0.6)))),
                Plot.PlotCurves.of(tune).of(ExperimentSubject.SubjectKind.KNOWN_CLASS, Axis.ALIGNMENT));
    }

    @Test
    void linesAreDrawnInTheirMethodsColour() {
        RgbImage plot = Plot.draw(TEST);
        long atoms = count(plot, 0x4477AA);
        assertTrue(atoms > 300, "pixels of the line, its spots and the legend: " + atoms);
        assertTrue(count(plot, 0xEE6677) > 100);
        assertEquals(0, count(plot, 0x228833), "no third method");
        assertTrue(count(Plot.draw(List.of()), 0x1F2328) > 500, "an empty table has a title and no lines");
    }

    @Test
    void theTableInWordsHasAPartForEachKindAndAnIntervalWhereThereAreThreeSubjects() {
        String text = ExperimentSummary.markdown(TEST);
        assertTrue(text.contains("### Phase test, known class (owl)")
                && text.contains("### Phase test, new class (teapot)"), text);
        assertTrue(text.contains("| atoms | 0.01 | 400 | 2 | 2,268 | 11 KB | 13 | 500 MB | 0.70 | – | 0.30 |"), text);
        List<ExperimentRow> three = Stream.of("owl", "cat", "car")
                .map(subject -> ExperimentRows.of(ExperimentRows.test(subject, "atoms", 0, 400),
                        subject.equals("owl") ? 0.6 : 0.3, 0.2))
                .toList();
        assertTrue(ExperimentSummary.markdown(three).contains("| 0.40 (0.30–0.60) | – | 0.20 (0.20–0.20) |"),
                ExperimentSummary.markdown(three));
        assertTrue(ExperimentSummary.line(TEST.getFirst()).contains("likeness 0.60  diversity –  alignment 0.20"),
                ExperimentSummary.line(TEST.getFirst()));
    }

    private static long count(RgbImage picture, int rgb) {
        long count = 0;
        for (int pixel : picture.argb()) if ((pixel & 0xFFFFFF) == rgb) count++;
        return count;
    }
}
