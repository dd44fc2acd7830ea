package atomstudio.app.experiment;

import atomstudio.app.drawing.BitmapFont;
import atomstudio.app.drawing.BitmapFont.Pen;
import atomstudio.app.drawing.BitmapFont.TextStyle;
import atomstudio.app.drawing.PixelCanvas;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Plot.PlotCurves.Curve;
import atomstudio.app.experiment.Plot.PlotCurves.CurvePoint;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import java.awt.BasicStroke;
import java.awt.Rectangle;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Point2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// Draws likeness against alignment and against diversity, a line a method over its checkpoints, the two kinds of
/// subject below each other. Nearer to the upper right is better. Needs neither a display nor a font of the system.
public final class Plot {
    private static final int BACKGROUND = 0xFFFFFF;
    private static final int FOREGROUND = 0x1F2328;
    private static final int MUTED = 0x59636E;
    private static final int GRID = 0xDDE2E8;
    /// Colours that stay apart for most eyes. Source: P. Tol, "Colour schemes", bright and muted.
    private static final int[] COLOURS = {0x4477AA, 0xEE6677, 0x228833, 0xCCBB44, 0x66CCEE, 0xAA3377, 0xEE7733,
            0x332288, 0x999933, 0x882255, 0x44AA99, 0x661100};
    private static final int BASE_MODEL = 0x333333;
    private static final int BASE_MODEL_WITH_TOKEN = 0xA5A5A5;

    private static final int PLOT_SIZE = 520;
    private static final int MARGIN = 48;
    private static final int AXIS_WIDTH = 84;
    private static final int LEGEND_WIDTH = 280;
    private static final int HEADER_HEIGHT = 76;
    private static final int FOOTER_HEIGHT = 68;
    private static final int TICK_COUNT = 5;
    private static final BasicStroke CURVE = new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);

    private final BitmapFont letters = BitmapFont.load();
    private final PlotCurves curves;
    private final PixelCanvas canvas;

    private Plot(PlotCurves curves) {
        this.curves = curves;
        this.canvas = new PixelCanvas(width(), height(curves), BACKGROUND);
    }

    /// What a table shows; its test phase, or the tuning phase where there is no other yet.
    public static RgbImage draw(List<ExperimentRow> rows) {
        Plot plot = new Plot(PlotCurves.of(rows));
        plot.draw();
        return plot.canvas.image();
    }

    private static int width() {
        return 2 * MARGIN + 2 * (AXIS_WIDTH + PLOT_SIZE) + LEGEND_WIDTH;
    }

    private static int height(PlotCurves curves) {
        return MARGIN * 3 + Math.max(1, curves.subjectKinds().size()) * (HEADER_HEIGHT + PLOT_SIZE + FOOTER_HEIGHT);
    }

    private void draw() {
        text(TextStyle.TITLE, "Likeness against alignment and diversity", MARGIN,
                MARGIN + letters.ascent(TextStyle.TITLE) - 8, FOREGROUND);
        int top = 2 * MARGIN;
        for (ExperimentSubject.SubjectKind kind : curves.subjectKinds()) {
            String subjects = String.join(", ", curves.subjects(kind));
            text(TextStyle.HEADING, "Phase " + curves.phase() + ", " + kind.label() + ": " + subjects, MARGIN,
                    top + letters.ascent(TextStyle.HEADING) + 12, FOREGROUND);
            panel(new PlotPanel(kind, PlotCurves.Axis.ALIGNMENT,
                    new Rectangle(MARGIN + AXIS_WIDTH, top + HEADER_HEIGHT, PLOT_SIZE, PLOT_SIZE)));
            panel(new PlotPanel(kind, PlotCurves.Axis.DIVERSITY,
                    new Rectangle(MARGIN + 2 * AXIS_WIDTH + PLOT_SIZE, top + HEADER_HEIGHT, PLOT_SIZE, PLOT_SIZE)));
            legend(kind, top + HEADER_HEIGHT);
            top += HEADER_HEIGHT + PLOT_SIZE + FOOTER_HEIGHT;
        }
        String caption = "Measured by " + String.join(", ", curves.encoders())
                + ". A line goes through a method's checkpoints, averaged over subjects and seeds; the large spot is its end. "
                + "Black and grey: the untuned model without and with the token. Nearer to the upper right is better.";
        int baseline = top + letters.ascent(TextStyle.SMALL);
        for (String line : letters.wrap(caption, TextStyle.SMALL, width() - 2 * MARGIN, 2)) {
            text(TextStyle.SMALL, line, MARGIN, baseline, MUTED);
            baseline += letters.lineHeight(TextStyle.SMALL);
        }
    }

    /// One of the diagrams.
    private record PlotPanel(ExperimentSubject.SubjectKind kind, PlotCurves.Axis axis, Rectangle box) {}

    private void panel(PlotPanel panel) {
        List<Curve> panelCurves = curves.of(panel.kind, panel.axis);
        AxisScale x = AxisScale.of(
                panelCurves.stream().flatMap(curve -> curve.points().stream()).mapToDouble(CurvePoint::x).toArray());
        AxisScale y = AxisScale.of(panelCurves.stream()
                .flatMap(curve -> curve.points().stream())
                .mapToDouble(CurvePoint::likeness)
                .toArray());
        frame(panel, x, y);
        for (Curve curve : panelCurves) {
            int colour = colour(curve.method());
            Path2D line = new Path2D.Double();
            for (CurvePoint point : curve.points()) {
                Point2D place = new Point2D.Double(panel.box.x + x.position(point.x()) * PLOT_SIZE + 0.5,
                        panel.box.y + (1 - y.position(point.likeness())) * PLOT_SIZE + 0.5);
                if (line.getCurrentPoint() == null) line.moveTo(place.getX(), place.getY());
                else line.lineTo(place.getX(), place.getY());
                canvas.fill(spot(place.getX(), place.getY(), point == curve.points().getLast() ? 7 : 4), colour);
            }
            canvas.fill(CURVE.createStrokedShape(line), colour);
        }
    }

    private static Shape spot(double x, double y, double radius) {
        return new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius);
    }

    private void frame(PlotPanel panel, AxisScale x, AxisScale y) {
        Rectangle box = panel.box;
        for (int i = 0; i <= TICK_COUNT; i++) {
            int offset = Math.round((float) PLOT_SIZE * i / TICK_COUNT);
            canvas.fill(new Rectangle(box.x + offset, box.y, 1, PLOT_SIZE), GRID);
            canvas.fill(new Rectangle(box.x, box.y + offset, PLOT_SIZE + 1, 1), GRID);
            String xLabel = x.tickLabel(i);
            text(TextStyle.SMALL, xLabel, box.x + offset - letters.width(xLabel, TextStyle.SMALL) / 2,
                    box.y + PLOT_SIZE + 8 + letters.ascent(TextStyle.SMALL), MUTED);
            String yLabel = y.tickLabel(TICK_COUNT - i);
            text(TextStyle.SMALL, yLabel, box.x - 10 - letters.width(yLabel, TextStyle.SMALL),
                    box.y + offset + letters.ascent(TextStyle.SMALL) / 2 - 1, MUTED);
        }
        String axisName = panel.axis.label();
        text(TextStyle.BODY, axisName, box.x + (PLOT_SIZE - letters.width(axisName, TextStyle.BODY)) / 2,
                box.y + PLOT_SIZE + 28 + letters.ascent(TextStyle.BODY), FOREGROUND);
        text(TextStyle.BODY, "likeness", box.x, box.y - 12, FOREGROUND);
    }

    private void legend(ExperimentSubject.SubjectKind kind, int top) {
        int x = MARGIN + 2 * (AXIS_WIDTH + PLOT_SIZE) + 36;
        int y = top + letters.ascent(TextStyle.BODY);
        for (Curve curve : curves.of(kind, PlotCurves.Axis.ALIGNMENT)) {
            canvas.fill(spot(x, y - letters.ascent(TextStyle.BODY) / 3.0, 7), colour(curve.method()));
            text(TextStyle.BODY, letters.ellipsize(curve.method(), TextStyle.BODY, LEGEND_WIDTH - 60), x + 18, y,
                    FOREGROUND);
            y += letters.lineHeight(TextStyle.BODY) + 6;
        }
    }

    /// A method has the same colour in every diagram.
    private int colour(String method) {
        if (method.equals(ExperimentRow.Key.BASE_MODEL)) return BASE_MODEL;
        if (method.equals(ExperimentRow.Key.BASE_MODEL_WITH_TOKEN)) return BASE_MODEL_WITH_TOKEN;
        List<String> methods = new ArrayList<>(curves.methods());
        methods.removeIf(name -> name.startsWith(ExperimentRow.Key.BASE_MODEL));
        return COLOURS[methods.indexOf(method) % COLOURS.length];
    }

    private void text(TextStyle style, String line, int x, int baseline, int rgb) {
        letters.draw(canvas, line, style, new Pen(x, baseline, rgb));
    }

    /// An axis from one number to another, with some room around what it shows.
    private record AxisScale(double from, double to) {
        private static final double STEP = 0.05;

        static AxisScale of(double[] numbers) {
            double low = Double.POSITIVE_INFINITY;
            double high = Double.NEGATIVE_INFINITY;
            for (double number : numbers) {
                low = Math.min(low, number);
                high = Math.max(high, number);
            }
            if (low > high) return new AxisScale(0, 1);
            double from = Math.floor((low - STEP / 2) / STEP) * STEP;
            double parts = Math.ceil((high + STEP / 2 - from) / STEP / TICK_COUNT);
            return new AxisScale(from, from + parts * STEP * TICK_COUNT);
        }

        double position(double number) {
            return (number - from) / (to - from);
        }

        String tickLabel(int i) {
            return String.format(Locale.ROOT, "%.2f", from + (to - from) * i / TICK_COUNT + 0.0);
        }
    }

    /// What a plot shows of a table: for each method a point a checkpoint, averaged over subjects and seeds.
    record PlotCurves(String phase, List<ExperimentRow> rows) {
        /// What likeness is drawn against.
        enum Axis {
            ALIGNMENT, DIVERSITY;

            String label() {
                return name().toLowerCase(Locale.ROOT);
            }

            OptionalDouble of(ClipScores measures) {
                return switch (this) {
                    case ALIGNMENT -> measures.alignment();
                    case DIVERSITY -> measures.diversity();
                };
            }
        }

        record Curve(String method, List<CurvePoint> points) {}

        record CurvePoint(double x, double likeness) {}

        /// The test phase, or the tuning phase where nothing of it is there yet; of the latter's rates, each method's
        /// best.
        static PlotCurves of(List<ExperimentRow> rows) {
            List<ExperimentRow> testRows = inPhase(rows, Phase.TEST);
            if (!testRows.isEmpty()) return new PlotCurves(Phase.TEST.label(), testRows);
            List<ExperimentRow> tuningRows = inPhase(rows, Phase.TUNE);
            List<ExperimentRow> bestRateRows = tuningRows.stream()
                    .filter(row -> row.key().steps() == 0
                            || ExperimentPlan.best(tuningRows, row.key().method()).orElseThrow()
                                    == row.key().learningRate())
                    .toList();
            return new PlotCurves(Phase.TUNE.label(), bestRateRows);
        }

        private static List<ExperimentRow> inPhase(List<ExperimentRow> rows, Phase phase) {
            return rows.stream().filter(row -> row.key().phase().equals(phase.label())).toList();
        }

        List<ExperimentSubject.SubjectKind> subjectKinds() {
            return List.of(ExperimentSubject.SubjectKind.values())
                    .stream()
                    .filter(kind -> rows.stream().anyMatch(row -> row.subjectKind() == kind))
                    .toList();
        }

        List<String> subjects(ExperimentSubject.SubjectKind kind) {
            return rows.stream()
                    .filter(row -> row.subjectKind() == kind)
                    .map(row -> row.key().subject())
                    .distinct()
                    .toList();
        }

        List<String> encoders() {
            return rows.stream().map(row -> row.measures().encoder()).distinct().toList();
        }

        List<String> methods() {
            return rows.stream().map(row -> row.key().method()).distinct().toList();
        }

        /// Methods that have both numbers at every point.
        List<Curve> of(ExperimentSubject.SubjectKind kind, Axis axis) {
            List<Curve> curves = new ArrayList<>();
            List<ExperimentRow> kindRows = rows.stream().filter(row -> row.subjectKind() == kind).toList();
            ExperimentTable.groupBy(kindRows, row -> row.key().method())
                    .forEach((method, of) -> curves.add(new Curve(method, points(of, axis))));
            curves.removeIf(curve -> curve.points.isEmpty());
            return curves;
        }

        /// Checkpoints in their order, told by their share of the run, so that runs of several lengths do not mix.
        private static List<CurvePoint> points(List<ExperimentRow> methodRows, Axis axis) {
            List<CurvePoint> points = new ArrayList<>();
            ExperimentTable
                    .groupBy(methodRows.stream().sorted(Comparator.comparingDouble(PlotCurves::runFraction)).toList(),
                            row -> row.key().steps() + "/" + row.key().checkpoint())
                    .values()
                    .forEach(of -> {
                        OptionalDouble x = ExperimentSummary.mean(of, row -> axis.of(row.measures()));
                        OptionalDouble likeness = ExperimentSummary.mean(of, row -> row.measures().likeness());
                        if (x.isPresent() && likeness.isPresent())
                            points.add(new CurvePoint(x.getAsDouble(), likeness.getAsDouble()));
                    });
            return points;
        }

        private static double runFraction(ExperimentRow row) {
            Key key = row.key();
            return key.steps() == 0 ? 0 : (double) key.checkpoint() / key.steps();
        }
    }
}
