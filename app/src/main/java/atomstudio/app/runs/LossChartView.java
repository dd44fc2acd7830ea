package atomstudio.app.runs;

import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import javafx.scene.Group;
import javafx.scene.control.Label;
import javafx.scene.layout.Pane;
import javafx.scene.shape.Circle;
import javafx.scene.shape.Line;
import javafx.scene.shape.Polyline;
import javafx.scene.shape.StrokeLineJoin;

/// Chart of the loss over steps: raw values as a thin line, smoothed values as a thick one, validation as a dashed one.
/// Validation losses share the left axis, preview scores have an axis at the right. The x axis spans the whole run.
public final class LossChartView extends Pane {
    private static final int GRID_LINES = 3;
    private static final double LEFT_MARGIN = 46;
    private static final double RIGHT_MARGIN = 46;
    private static final double BOTTOM_MARGIN = 18;

    private final Polyline raw = line("loss-raw");
    private final Polyline smooth = line("loss-smooth");
    private final Polyline validations = line("loss-validation");
    private final Group marks = new Group();
    private final Line[] grid = new Line[GRID_LINES];
    private final Label[] lossLabels = new Label[GRID_LINES];
    private final Label[] scoreLabels = new Label[GRID_LINES];
    private final Label first = label();
    private final Label last = label();
    private final Label empty = new Label("Waiting for the first step");
    private RunProgress shown = RunProgress.initial(RunProgress.RunPhase.WAITING);

    public LossChartView() {
        setPrefHeight(190);
        setMinHeight(120);
        for (int i = 0; i < GRID_LINES; i++) {
            grid[i] = new Line();
            grid[i].getStyleClass().add("loss-grid");
            lossLabels[i] = label();
            scoreLabels[i] = label();
            getChildren().addAll(grid[i], lossLabels[i], scoreLabels[i]);
        }
        marks.setManaged(false);
        empty.getStyleClass().add("muted");
        getChildren().addAll(raw, smooth, validations, marks, first, last, empty);
    }

    private static Polyline line(String style) {
        Polyline line = new Polyline();
        line.getStyleClass().add(style);
        line.setStrokeLineJoin(StrokeLineJoin.ROUND);
        line.setManaged(false);
        return line;
    }

    private static Label label() {
        Label label = new Label();
        label.getStyleClass().addAll("muted", "small-text");
        return label;
    }

    public void show(RunProgress progress) {
        shown = progress;
        requestLayout();
    }

    /// Maps steps and values between `bottom` and `top` to pixels.
    private record PlotArea(double width, double height, double bottom, double top, int steps) {
        double x(int step) {
            return LEFT_MARGIN + width * step / steps;
        }

        double y(double value) {
            return 6 + (height - 12) * (top - value) / (top - bottom);
        }

        PlotArea scaledTo(DoubleSummaryStatistics values) {
            double min = values.getCount() == 0 ? 0 : values.getMin();
            double max = values.getCount() == 0 ? 1 : values.getMax();
            return new PlotArea(width, height, min, max - min < 1e-9 ? min + Math.max(1e-9, Math.abs(min) * 0.1) : max,
                    steps);
        }
    }

    @Override
    protected void layoutChildren() {
        List<RunProgress.LossPoint> losses = shown.losses();
        List<RunProgress.ValidationPoint> validated = shown.history().validations();
        boolean scored = validated.stream().anyMatch(point -> !point.isLoss());
        int steps = Math.max(Math.max(shown.steps(), 1), losses.isEmpty() ? 1 : losses.getLast().step());
        PlotArea area = new PlotArea(getWidth() - LEFT_MARGIN - (scored ? RIGHT_MARGIN : 0),
                getHeight() - BOTTOM_MARGIN, 0, 1, steps);
        PlotArea loss = area.scaledTo(DoubleStream.concat(losses.stream().mapToDouble(RunProgress.LossPoint::raw),
                validated.stream()
                        .filter(RunProgress.ValidationPoint::isLoss)
                        .mapToDouble(RunProgress.ValidationPoint::value))
                .summaryStatistics());
        PlotArea score = scored
                ? area.scaledTo(validated.stream().mapToDouble(RunProgress.ValidationPoint::value).summaryStatistics())
                : loss;
        layoutScales(loss, score, scored);
        raw.getPoints()
                .setAll(losses.stream().flatMap(each -> Stream.of(loss.x(each.step()), loss.y(each.raw()))).toList());
        smooth.getPoints()
                .setAll(losses.stream()
                        .flatMap(each -> Stream.of(loss.x(each.step()), loss.y(each.smoothed())))
                        .toList());
        validations.getPoints()
                .setAll(validated.stream()
                        .flatMap(each -> Stream.of(score.x(each.step()), score.y(each.value())))
                        .toList());
        marks.getChildren().setAll(validated.stream().map(each -> mark(each, score)).toList());
    }

    private static Circle mark(RunProgress.ValidationPoint point, PlotArea area) {
        Circle mark = new Circle(area.x(point.step()), area.y(point.value()), 3);
        mark.getStyleClass().add("validation-point");
        return mark;
    }

    private void layoutScales(PlotArea loss, PlotArea score, boolean scored) {
        boolean any = !shown.losses().isEmpty();
        empty.setVisible(!any);
        for (int i = 0; i < GRID_LINES; i++) {
            double share = i / (GRID_LINES - 1.0);
            double y = 6 + share * (loss.height - 12);
            grid[i].setVisible(any);
            grid[i].setStartX(LEFT_MARGIN);
            grid[i].setEndX(LEFT_MARGIN + loss.width);
            grid[i].setStartY(y);
            grid[i].setEndY(y);
            showScaleLabel(lossLabels[i], any, loss, share);
            placeLabel(lossLabels[i], 0, y - 9);
            showScaleLabel(scoreLabels[i], any && scored, score, share);
            placeLabel(scoreLabels[i], LEFT_MARGIN + loss.width + 6, y - 9);
        }
        first.setVisible(any);
        last.setVisible(any);
        first.setText("Step 0");
        last.setText(String.valueOf(loss.steps));
        placeLabel(first, LEFT_MARGIN, loss.height);
        placeLabel(last, LEFT_MARGIN + loss.width - last.prefWidth(-1), loss.height);
        placeLabel(empty, LEFT_MARGIN + (loss.width - empty.prefWidth(-1)) / 2, loss.height / 2 - 10);
    }

    private static void showScaleLabel(Label label, boolean visible, PlotArea area, double share) {
        label.setVisible(visible);
        label.setText(String.format(Locale.ROOT, "%.3f", area.top - share * (area.top - area.bottom)));
    }

    private static void placeLabel(Label label, double x, double y) {
        label.autosize();
        label.relocate(x, y);
    }
}
