package atomstudio.app.tune;

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

/// Loss over steps: every value as a thin line, the smoothed one over it, and validations as a broken line: losses on the same scale,
/// scores of previews on one of their own at the right. The whole run is the width from the start on.
public final class LossChartView extends Pane {
    private static final int LINES = 3;
    private static final double LEFT = 46;
    private static final double RIGHT = 46;
    private static final double BOTTOM = 18;

    private final Polyline raw = line("loss-raw");
    private final Polyline smooth = line("loss-smooth");
    private final Polyline checks = line("loss-checks");
    private final Group marks = new Group();
    private final Line[] grid = new Line[LINES];
    private final Label[] heights = new Label[LINES];
    private final Label[] scores = new Label[LINES];
    private final Label first = label();
    private final Label last = label();
    private final Label empty = new Label("The curve begins with the first step.");
    private RunProgress shown = RunProgress.none(RunProgress.State.WAITING);

    public LossChartView() {
        getStyleClass().add("loss-chart");
        setPrefHeight(190);
        setMinHeight(120);
        for (int i = 0; i < LINES; i++) {
            grid[i] = new Line();
            grid[i].getStyleClass().add("loss-grid");
            heights[i] = label();
            scores[i] = label();
            getChildren().addAll(grid[i], heights[i], scores[i]);
        }
        marks.setManaged(false);
        empty.getStyleClass().add("muted");
        getChildren().addAll(raw, smooth, checks, marks, first, last, empty);
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

    /// Values from `bottom` to `top`, in a picture of this size.
    private record Frame(double width, double height, double bottom, double top, int steps) {
        double x(int step) {
            return LEFT + width * step / steps;
        }

        double y(double value) {
            return 6 + (height - 12) * (top - value) / (top - bottom);
        }

        Frame over(DoubleSummaryStatistics values) {
            double least = values.getCount() == 0 ? 0 : values.getMin();
            double most = values.getCount() == 0 ? 1 : values.getMax();
            return new Frame(width, height, least, most - least < 1e-9 ? least + Math.max(1e-9, Math.abs(least) * 0.1) : most, steps);
        }
    }

    @Override protected void layoutChildren() {
        List<RunProgress.Loss> losses = shown.losses();
        List<RunProgress.Check> validated = shown.history().checks();
        boolean scored = validated.stream().anyMatch(check -> !check.loss());
        int steps = Math.max(Math.max(shown.steps(), 1), losses.isEmpty() ? 1 : losses.getLast().step());
        Frame plain = new Frame(getWidth() - LEFT - (scored ? RIGHT : 0), getHeight() - BOTTOM, 0, 1, steps);
        Frame loss = plain.over(DoubleStream.concat(losses.stream().mapToDouble(RunProgress.Loss::raw),
            validated.stream().filter(RunProgress.Check::loss).mapToDouble(RunProgress.Check::value)).summaryStatistics());
        Frame score = scored ? plain.over(validated.stream().mapToDouble(RunProgress.Check::value).summaryStatistics()) : loss;
        scales(loss, score, scored);
        raw.getPoints().setAll(losses.stream().flatMap(each -> Stream.of(loss.x(each.step()), loss.y(each.raw()))).toList());
        smooth.getPoints().setAll(losses.stream().flatMap(each -> Stream.of(loss.x(each.step()), loss.y(each.smooth()))).toList());
        checks.getPoints().setAll(validated.stream().flatMap(each -> Stream.of(score.x(each.step()), score.y(each.value()))).toList());
        marks.getChildren().setAll(validated.stream().map(each -> mark(each, score)).toList());
    }

    private static Circle mark(RunProgress.Check check, Frame frame) {
        Circle mark = new Circle(frame.x(check.step()), frame.y(check.value()), 3);
        mark.getStyleClass().add("loss-mark");
        return mark;
    }

    private void scales(Frame loss, Frame score, boolean scored) {
        boolean any = !shown.losses().isEmpty();
        empty.setVisible(!any);
        for (int i = 0; i < LINES; i++) {
            double share = i / (LINES - 1.0);
            double y = 6 + share * (loss.height - 12);
            grid[i].setVisible(any);
            grid[i].setStartX(LEFT);
            grid[i].setEndX(LEFT + loss.width);
            grid[i].setStartY(y);
            grid[i].setEndY(y);
            height(heights[i], any, loss, share);
            place(heights[i], 0, y - 9);
            height(scores[i], any && scored, score, share);
            place(scores[i], LEFT + loss.width + 6, y - 9);
        }
        first.setVisible(any);
        last.setVisible(any);
        first.setText("step 0");
        last.setText(String.valueOf(loss.steps));
        place(first, LEFT, loss.height);
        place(last, LEFT + loss.width - last.prefWidth(-1), loss.height);
        place(empty, LEFT + (loss.width - empty.prefWidth(-1)) / 2, loss.height / 2 - 10);
    }

    private static void height(Label label, boolean visible, Frame frame, double share) {
        label.setVisible(visible);
        label.setText(String.format(Locale.ROOT, "%.3f", frame.top - share * (frame.top - frame.bottom)));
    }

    private static void place(Label label, double x, double y) {
        label.autosize();
        label.relocate(x, y);
    }
}
