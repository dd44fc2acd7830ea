package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import javafx.geometry.Side;
import javafx.scene.Group;
import javafx.scene.chart.NumberAxis;
import javafx.scene.control.Label;
import javafx.scene.input.MouseEvent;
import javafx.scene.input.ScrollEvent;
import javafx.scene.layout.Pane;
import javafx.scene.shape.Circle;
import javafx.scene.shape.Line;
import javafx.scene.shape.Polyline;
import javafx.scene.shape.Rectangle;
import javafx.scene.shape.StrokeLineJoin;
import javafx.util.StringConverter;

/// Chart of the loss over steps: raw values as a thin line, smoothed values as a thick one, validation as a dashed one,
/// earlier runs faint behind. Validation losses share the left axis, preview scores have an axis at the right. The
/// values at the pointer are shown; Ctrl and the mouse wheel zoom the steps, a double click shows all.
///
/// Axes are JavaFX's, lines are not a `LineChart`'s: it has no second axis, and a node per point.
public final class LossChartView extends Pane {
    private static final double TOP = 22;
    private static final double RIGHT = 12;
    private static final double ZOOM = 1.25;
    private static final int MIN_STEPS = 5;
    private static final int MAX_EARLIER = 4;

    /// A run to compare with.
    public record EarlierRun(String title, List<RunProgress.LossPoint> losses) {}

    private final NumberAxis stepAxis = axis(Side.BOTTOM);
    private final NumberAxis lossAxis = axis(Side.LEFT);
    private final NumberAxis scoreAxis = axis(Side.RIGHT);
    private final Polyline raw = line("loss-raw");
    private final Polyline smooth = line("loss-smooth");
    private final Polyline validations = line("loss-validation");
    private final Group earlierLines = new Group();
    private final Group grid = new Group();
    private final Group marks = new Group();
    private final Line pointer = new Line();
    private final Rectangle clip = new Rectangle();
    private final Label values = new Label();
    private final Label empty = new Label(text("runs.chart.empty"));
    private RunProgress shown = RunProgress.initial(RunProgress.RunPhase.WAITING);
    private List<EarlierRun> earlier = List.of();
    private ChartScale plot = new ChartScale(0, 0, 1, 1, 0, 1, 0, 1);
    private double from;
    private double to = Double.NaN;

    public LossChartView() {
        setPrefHeight(230);
        setMinHeight(140);
        getStyleClass().add("loss-chart");
        values.getStyleClass().addAll("muted", "small-text");
        empty.getStyleClass().add("muted");
        pointer.getStyleClass().add("loss-pointer");
        pointer.setVisible(false);
        Group lines = new Group(earlierLines, raw, smooth, validations, marks);
        lines.setClip(clip);
        for (Group group : List.of(grid, lines, earlierLines, marks)) group.setManaged(false);
        pointer.setManaged(false);
        getChildren().addAll(grid, lines, pointer, stepAxis, lossAxis, scoreAxis, values, empty);
        setOnMouseMoved(this::showValues);
        setOnMouseExited(exit -> {
            pointer.setVisible(false);
            values.setText("");
        });
        setOnScroll(this::zoom);
        setOnMouseClicked(click -> {
            if (click.getClickCount() == 2) showAll();
        });
    }

    private static NumberAxis axis(Side side) {
        NumberAxis axis = new NumberAxis();
        axis.setSide(side);
        axis.setAutoRanging(false);
        axis.setAnimated(false);
        axis.setMinorTickVisible(false);
        axis.setManaged(false);
        axis.setTickLabelFormatter(new StringConverter<>() {
            @Override
            public String toString(Number value) {
                double number = value.doubleValue();
                return number == Math.rint(number) ? String.valueOf((long) number)
                        : String.format(Locale.ROOT, axis.getTickUnit() < 0.01 ? "%.3f" : "%.2f", number);
            }

            @Override
            public Number fromString(String text) {
                return Double.valueOf(text);
            }
        });
        return axis;
    }

    private static Polyline line(String style) {
        Polyline line = new Polyline();
        line.getStyleClass().add(style);
        line.setStrokeLineJoin(StrokeLineJoin.ROUND);
        line.setManaged(false);
        return line;
    }

    public void show(RunProgress progress) {
        if (progress.steps() != shown.steps()) showAll();
        shown = progress;
        requestLayout();
    }

    /// Shows runs faint behind; at most four, the first ones.
    public void showEarlier(List<EarlierRun> runs) {
        earlier = runs.stream().filter(run -> !run.losses().isEmpty()).limit(MAX_EARLIER).toList();
        requestLayout();
    }

    private void showAll() {
        from = 0;
        to = Double.NaN;
        requestLayout();
    }

    private double lastStep() {
        List<RunProgress.LossPoint> losses = shown.losses();
        return Math.max(Math.max(shown.steps(), 1), losses.isEmpty() ? 1 : losses.getLast().step());
    }

    private Stream<RunProgress.LossPoint> inSight(List<RunProgress.LossPoint> losses, double first, double last) {
        return losses.stream().filter(point -> point.step() >= first && point.step() <= last);
    }

    @Override
    protected void layoutChildren() {
        List<RunProgress.ValidationPoint> validated = shown.history().validations();
        boolean scored = validated.stream().anyMatch(point -> !point.isLoss());
        boolean any = !shown.losses().isEmpty();
        double last = Double.isNaN(to) ? lastStep() : to;
        double axisHeight = 26;
        double left = 48;
        ChartScale area = new ChartScale(left, TOP, Math.max(10, getWidth() - left - (scored ? left : RIGHT)),
                Math.max(10, getHeight() - TOP - axisHeight), from, last, 0, 1);
        plot = area.scaledTo(DoubleStream.concat(
                DoubleStream.concat(inSight(shown.losses(), from, last).mapToDouble(RunProgress.LossPoint::raw),
                        validated.stream()
                                .filter(RunProgress.ValidationPoint::isLoss)
                                .mapToDouble(RunProgress.ValidationPoint::value)),
                earlier.stream()
                        .flatMap(run -> inSight(run.losses(), from, last))
                        .mapToDouble(RunProgress.LossPoint::smoothed))
                .summaryStatistics());
        ChartScale score = scored
                ? area.scaledTo(validated.stream().mapToDouble(RunProgress.ValidationPoint::value).summaryStatistics())
                : plot;
        layoutAxes(score, any, scored);
        layoutLines(score);
        values.resizeRelocate(left, 0, getWidth() - left, TOP);
        empty.setVisible(!any);
        empty.autosize();
        empty.relocate(left + (plot.width() - empty.getWidth()) / 2, TOP + plot.height() / 2 - 10);
    }

    private void layoutAxes(ChartScale score, boolean any, boolean scored) {
        range(stepAxis, plot.from(), plot.to());
        range(lossAxis, plot.bottom(), plot.top());
        range(scoreAxis, score.bottom(), score.top());
        double right = plot.x() + plot.width();
        place(stepAxis, any, plot.x(), plot.y() + plot.height(), plot.width(), getHeight() - plot.y() - plot.height());
        place(lossAxis, any, 0, plot.y(), plot.x(), plot.height());
        place(scoreAxis, any && scored, right, plot.y(), getWidth() - right, plot.height());
        List<Line> lines = new ArrayList<>();
        for (double value = plot.bottom(); any && value <= plot.top() + 1e-12; value += lossAxis.getTickUnit()) {
            Line line = new Line(plot.x(), plot.y(value), right, plot.y(value));
            line.getStyleClass().add("loss-grid");
            lines.add(line);
        }
        grid.getChildren().setAll(lines);
        clip.setX(plot.x() - 3);
        clip.setY(plot.y() - 3);
        clip.setWidth(plot.width() + 6);
        clip.setHeight(plot.height() + 6);
    }

    private static void range(NumberAxis axis, double lower, double upper) {
        axis.setLowerBound(lower);
        axis.setUpperBound(upper);
        double unit = ChartScale.tickUnit(upper - lower);
        axis.setTickUnit(axis.getSide() == Side.BOTTOM ? Math.max(1, unit) : unit);
    }

    private static void place(NumberAxis axis, boolean visible, double x, double y, double width, double height) {
        axis.setVisible(visible);
        axis.resizeRelocate(x, y, width, height);
        axis.requestAxisLayout();
        axis.layout();
    }

    private void layoutLines(ChartScale score) {
        List<RunProgress.ValidationPoint> validated = shown.history().validations();
        points(raw, shown.losses(), RunProgress.LossPoint::raw);
        points(smooth, shown.losses(), RunProgress.LossPoint::smoothed);
        validations.getPoints()
                .setAll(validated.stream()
                        .flatMap(each -> Stream.of(score.x(each.step()), score.y(each.value())))
                        .toList());
        marks.getChildren().setAll(validated.stream().map(each -> mark(each, score)).toList());
        earlierLines.getChildren().setAll(earlier.stream().map(run -> {
            Polyline line = line("loss-earlier");
            points(line, run.losses(), RunProgress.LossPoint::smoothed);
            return line;
        }).toList());
    }

    private void points(Polyline line, List<RunProgress.LossPoint> losses,
            ToDoubleFunction<RunProgress.LossPoint> value) {
        line.getPoints()
                .setAll(losses.stream()
                        .flatMap(each -> Stream.of(plot.x(each.step()), plot.y(value.applyAsDouble(each))))
                        .toList());
    }

    private static Circle mark(RunProgress.ValidationPoint point, ChartScale area) {
        Circle mark = new Circle(area.x(point.step()), area.y(point.value()), 3);
        mark.getStyleClass().add("validation-point");
        return mark;
    }

    private void showValues(MouseEvent mouse) {
        double step = plot.stepAt(mouse.getX());
        boolean inside = step >= plot.from() && step <= plot.to() && !shown.losses().isEmpty();
        pointer.setVisible(inside);
        values.setText(inside ? valuesAt(step) : "");
        pointer.setStartX(mouse.getX());
        pointer.setEndX(mouse.getX());
        pointer.setStartY(plot.y());
        pointer.setEndY(plot.y() + plot.height());
    }

    /// `Step 124: loss 0.183, smoothed 0.201 · LoRA rank 4: 0.195`.
    private String valuesAt(double step) {
        List<String> parts = new ArrayList<>();
        nearest(shown.losses(), step).ifPresent(
                point -> parts.add(text("runs.chart.values", point.step(), point.raw(), point.smoothed())));
        for (EarlierRun run : earlier)
            if (step <= run.losses().getLast().step())
                nearest(run.losses(), step)
                        .ifPresent(point -> parts.add(text("runs.chart.earlier", run.title(), point.smoothed())));
        return String.join(" · ", parts);
    }

    private static Optional<RunProgress.LossPoint> nearest(List<RunProgress.LossPoint> losses, double step) {
        return losses.stream().min(Comparator.comparingDouble(point -> Math.abs(point.step() - step)));
    }

    private void zoom(ScrollEvent scroll) {
        if (!scroll.isShortcutDown() || scroll.getDeltaY() == 0) return;
        scroll.consume();
        double center = Math.clamp(plot.stepAt(scroll.getX()), plot.from(), plot.to());
        double factor = scroll.getDeltaY() > 0 ? 1 / ZOOM : ZOOM;
        double width = Math.max(MIN_STEPS, (plot.to() - plot.from()) * factor);
        double share = (center - plot.from()) / (plot.to() - plot.from());
        from = Math.max(0, center - share * width);
        to = Math.min(lastStep(), from + width);
        if (from == 0 && to == lastStep()) to = Double.NaN;
        requestLayout();
    }
}
