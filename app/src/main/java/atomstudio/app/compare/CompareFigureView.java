package atomstudio.app.compare;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareFigure.FigureMetric;
import atomstudio.app.compare.CompareFigure.FigureRow;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import atomstudio.tuning.measure.BootstrapInterval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.Pane;
import javafx.scene.layout.Region;
import javafx.scene.shape.Line;

/// The figure of the paper: likeness, diversity and alignment of every row as grouped bars with 95 % bootstrap
/// intervals, and a sentence that reads it.
final class CompareFigureView extends CardView {
    /// Rows beyond these share the last colour.
    private static final int COLOURS = 6;

    private final BarsView bars = new BarsView();
    private final FlowPane legend = new FlowPane(10, 4);
    private final Label sentence = new Label();

    CompareFigureView(CompareViewModel comparison) {
        super(text("compare.figure"));
        setId("compare-figure");
        subtitle().getStyleClass().add("small-text");
        sentence.setId("figure-sentence");
        sentence.setWrapText(true);
        sentence.setMinHeight(Region.USE_PREF_SIZE);
        CompareMetrics metrics = comparison.metrics();
        NoteView note = new NoteView(NoteView.NoteKind.PLAIN, metrics.note());
        note.setId("measured-by");
        add(bars, legend, sentence, new NoteView(NoteView.NoteKind.PLAIN, metrics.status()), note);
        metrics.figure().subscribe(this::show);
    }

    private void show(CompareFigure figure) {
        boolean empty = figure.rows().isEmpty();
        subtitle().setText(empty ? "" : count("compare.figure.images", figure.images()));
        bars.show(figure);
        legend.setVisible(!empty);
        legend.setManaged(!empty);
        legend.getChildren().setAll(figure.rows().stream().map(CompareFigureView::entry).toList());
        sentence.setText(empty ? text("compare.figure.empty") : figure.sentence());
        sentence.setVisible(!sentence.getText().isEmpty());
        sentence.setManaged(sentence.isVisible());
    }

    private static Node entry(FigureRow row) {
        Region colour = new Region();
        colour.getStyleClass().addAll("legend-colour", series(row));
        Label name = new Label(row.title(), colour);
        name.getStyleClass().add("small-text");
        return name;
    }

    private static String series(FigureRow row) {
        return "series-" + Math.min(row.index(), COLOURS - 1);
    }

    /// Groups of bars. A metric with small values is magnified, as its label states.
    private static final class BarsView extends Pane {
        private static final double HEIGHT = 150;
        private static final double LABEL_HEIGHT = 20;
        private static final double MAX_BAR_WIDTH = 22;
        private static final double CAP = 3;

        private final List<BarGroup> groups = new ArrayList<>();

        /// @param factor of the values
        private record BarGroup(Label label, double factor, List<Bar> bars) {}

        private record Bar(BootstrapInterval interval, Region body, Line whisker, Line top, Line bottom) {}

        BarsView() {
            getStyleClass().add("bars");
            setMinHeight(HEIGHT);
            setPrefHeight(HEIGHT);
        }

        void show(CompareFigure figure) {
            groups.clear();
            getChildren().clear();
            setVisible(!figure.rows().isEmpty());
            setManaged(isVisible());
            StringBuilder spoken = new StringBuilder();
            for (FigureMetric metric : FigureMetric.values()) {
                double highest = figure.rows()
                        .stream()
                        .filter(row -> row.intervals().containsKey(metric))
                        .mapToDouble(row -> row.intervals().get(metric).high())
                        .max()
                        .orElse(0);
                int factor = highest <= 0 ? 1 : highest <= 0.125 ? 8 : highest <= 0.25 ? 4 : highest <= 0.5 ? 2 : 1;
                Label label = new Label(metric.title() + (factor == 1 ? "" : " ×" + factor));
                label.getStyleClass().addAll("muted", "small-text");
                List<Bar> groupBars = new ArrayList<>();
                for (FigureRow row : figure.rows()) {
                    BootstrapInterval interval = row.intervals().get(metric);
                    if (interval == null) continue;
                    groupBars.add(bar(row, metric, interval));
                    spoken.append(describe(row, metric, interval)).append(". ");
                }
                groups.add(new BarGroup(label, factor, groupBars));
                getChildren().add(label);
            }
            setAccessibleText(spoken.toString());
            requestLayout();
        }

        private static String describe(FigureRow row, FigureMetric metric, BootstrapInterval interval) {
            return text("compare.figure.bar", row.title(), metric.title().toLowerCase(Locale.ROOT),
                    number(interval.mean()), number(interval.low()), number(interval.high()));
        }

        private static String number(double value) {
            return String.format(Locale.ROOT, "%.2f", value);
        }

        private Bar bar(FigureRow row, FigureMetric metric, BootstrapInterval interval) {
            Region body = new Region();
            body.getStyleClass().addAll("bar-body", series(row));
            Tooltip.install(body, new Tooltip(describe(row, metric, interval)));
            Line whisker = new Line();
            Line top = new Line();
            Line bottom = new Line();
            getChildren().add(body);
            for (Line line : List.of(whisker, top, bottom)) {
                line.getStyleClass().add("whisker");
                line.setMouseTransparent(true);
                getChildren().add(line);
            }
            return new Bar(interval, body, whisker, top, bottom);
        }

        @Override
        protected void layoutChildren() {
            double groupWidth = getWidth() / Math.max(1, groups.size());
            double baseline = getHeight() - LABEL_HEIGHT;
            for (int i = 0; i < groups.size(); i++) {
                BarGroup group = groups.get(i);
                double left = i * groupWidth;
                double labelWidth = Math.min(groupWidth, group.label.prefWidth(-1));
                group.label.resizeRelocate(left + (groupWidth - labelWidth) / 2, baseline + 4, labelWidth,
                        LABEL_HEIGHT - 4);
                double step = Math.min(MAX_BAR_WIDTH, (groupWidth - 14) / Math.max(1, group.bars.size()));
                double x = left + (groupWidth - step * group.bars.size()) / 2;
                for (Bar bar : group.bars) {
                    layoutBar(bar, group.factor * baseline, baseline, x, step);
                    x += step;
                }
            }
        }

        /// @param scale pixels per unit
        private static void layoutBar(Bar bar, double scale, double baseline, double x, double step) {
            double height = Math.clamp(bar.interval.mean() * scale, 0, baseline);
            bar.body.resizeRelocate(x + 1, baseline - height, Math.max(1, step - 2), height);
            double middle = x + step / 2;
            double low = baseline - Math.clamp(bar.interval.low() * scale, 0, baseline);
            double high = baseline - Math.clamp(bar.interval.high() * scale, 0, baseline);
            place(bar.whisker, middle, low, middle, high);
            place(bar.top, middle - CAP, high, middle + CAP, high);
            place(bar.bottom, middle - CAP, low, middle + CAP, low);
        }

        private static void place(Line line, double x1, double y1, double x2, double y2) {
            line.setStartX(x1);
            line.setStartY(y1);
            line.setEndX(x2);
            line.setEndY(y2);
        }
    }
}
