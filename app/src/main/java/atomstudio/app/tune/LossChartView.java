package atomstudio.app.tune;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import javafx.scene.control.Label;
import javafx.scene.layout.Pane;
import javafx.scene.shape.Line;
import javafx.scene.shape.Polyline;
import javafx.scene.shape.StrokeLineJoin;

/// Loss over steps: every value as a thin line, the smoothed one over it. The whole run is the width from the start on.
public final class LossChartView extends Pane {
    private static final int LINES = 3;
    private static final double LEFT = 46;
    private static final double BOTTOM = 18;

    private final Polyline raw = line("loss-raw");
    private final Polyline smooth = line("loss-smooth");
    private final Line[] grid = new Line[LINES];
    private final Label[] heights = new Label[LINES];
    private final Label first = label();
    private final Label last = label();
    private final Label empty = new Label("The curve begins with the first step.");
    private List<RunProgress.Loss> losses = List.of();
    private int steps;

    public LossChartView() {
        getStyleClass().add("loss-chart");
        setPrefHeight(190);
        setMinHeight(120);
        for (int i = 0; i < LINES; i++) {
            grid[i] = new Line();
            grid[i].getStyleClass().add("loss-grid");
            heights[i] = label();
            getChildren().addAll(grid[i], heights[i]);
        }
        empty.getStyleClass().add("muted");
        getChildren().addAll(raw, smooth, first, last, empty);
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

    /// @param wholeRun steps the run has in all
    public void show(List<RunProgress.Loss> shown, int wholeRun) {
        losses = shown;
        steps = wholeRun;
        requestLayout();
    }

    @Override protected void layoutChildren() {
        boolean any = !losses.isEmpty();
        empty.setVisible(!any);
        for (int i = 0; i < LINES; i++) {
            heights[i].setVisible(any);
            grid[i].setVisible(any);
        }
        first.setVisible(any);
        last.setVisible(any);
        double top = losses.stream().mapToDouble(RunProgress.Loss::raw).max().orElse(1);
        double bottom = losses.stream().mapToDouble(RunProgress.Loss::raw).min().orElse(0);
        if (top - bottom < 1e-9) top = bottom + Math.max(1e-9, Math.abs(bottom) * 0.1);
        double width = getWidth() - LEFT;
        double height = getHeight() - BOTTOM;
        for (int i = 0; i < LINES; i++) {
            double share = i / (LINES - 1.0);
            double y = 6 + share * (height - 12);
            grid[i].setStartX(LEFT);
            grid[i].setEndX(getWidth());
            grid[i].setStartY(y);
            grid[i].setEndY(y);
            heights[i].setText(String.format(Locale.ROOT, "%.3f", top - share * (top - bottom)));
            place(heights[i], 0, y - 9);
        }
        int whole = Math.max(Math.max(steps, 1), any ? losses.getLast().step() : 1);
        fill(raw, RunProgress.Loss::raw, new Frame(width, height, bottom, top, whole));
        fill(smooth, RunProgress.Loss::smooth, new Frame(width, height, bottom, top, whole));
        first.setText("step 0");
        last.setText(String.valueOf(whole));
        place(first, LEFT, height);
        place(last, getWidth() - last.prefWidth(-1), height);
        place(empty, LEFT + (width - empty.prefWidth(-1)) / 2, height / 2 - 10);
    }

    private static void place(Label label, double x, double y) {
        label.autosize();
        label.relocate(x, y);
    }

    private record Frame(double width, double height, double bottom, double top, int steps) {}

    private void fill(Polyline line, ToDoubleFunction<RunProgress.Loss> value, Frame frame) {
        Double[] points = new Double[losses.size() * 2];
        for (int i = 0; i < losses.size(); i++) {
            points[2 * i] = LEFT + frame.width * losses.get(i).step() / frame.steps;
            points[2 * i + 1] = 6 + (frame.height - 12) * (frame.top - value.applyAsDouble(losses.get(i))) / (frame.top - frame.bottom);
        }
        line.getPoints().setAll(points);
    }
}
