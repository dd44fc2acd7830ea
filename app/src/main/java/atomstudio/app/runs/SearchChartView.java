package atomstudio.app.runs;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.search.SearchTable;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import javafx.beans.value.ObservableValue;
import javafx.collections.FXCollections;
import javafx.geometry.Pos;
import javafx.scene.chart.NumberAxis;
import javafx.scene.chart.ScatterChart;
import javafx.scene.chart.XYChart;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;
import javafx.util.StringConverter;

/// Chart of a structure search: loss against parameters, with the Pareto front and the chosen structure. Shown only for
/// a run that was searched.
final class SearchChartView extends VBox {
    private final Label title = new Label();
    private final Label chosen = label("", "muted");
    private final NumberAxis parameters = axis("%,.0f");
    private final NumberAxis loss = axis("%.3f");
    private final ScatterChart<Number, Number> chart = new ScatterChart<>(parameters, loss);

    SearchChartView(ObservableValue<List<SearchTable.Point>> searched) {
        super(4);
        setId("search-chart");
        title.getStyleClass().add("text-bold");
        chart.setAnimated(false);
        chart.setLegendVisible(false);
        chart.setPrefHeight(230);
        chart.setMinHeight(180);
        chart.getStyleClass().add("search-chart");
        HBox legends = new HBox(14, label(text("runs.search-chart.all"), "muted"),
                label(text("runs.search-chart.front"), "legend-training"),
                label(text("runs.search-chart.chosen"), "legend-validation"));
        legends.setAlignment(Pos.CENTER_LEFT);
        getChildren().addAll(title, chart, legends, chosen);
        searched.subscribe(this::show);
    }

    private static Label label(String text, String style) {
        Label label = new Label(text);
        label.getStyleClass().addAll(style, "small-text");
        return label;
    }

    private static NumberAxis axis(String format) {
        NumberAxis axis = new NumberAxis();
        axis.setForceZeroInRange(false);
        axis.setAnimated(false);
        axis.setMinorTickVisible(false);
        axis.setTickLabelFormatter(new StringConverter<>() {
            @Override
            public String toString(Number value) {
                return String.format(Locale.ROOT, format, value.doubleValue());
            }

            @Override
            public Number fromString(String text) {
                return Double.valueOf(text);
            }
        });
        return axis;
    }

    private void show(List<SearchTable.Point> points) {
        setVisible(!points.isEmpty());
        setManaged(!points.isEmpty());
        if (points.isEmpty()) {
            chart.getData().clear();
            return;
        }
        title.setText(count("runs.search-chart", points.size()));
        points.stream()
                .filter(SearchTable.Point::isChosen)
                .findFirst()
                .ifPresent(point -> chosen
                        .setText(text("runs.search-chart.chosen.values", point.parameters(), point.loss())));
        chart.setAccessibleText(title.getText() + ". " + chosen.getText());
        chart.getData()
                .setAll(List.of(series(points, point -> !point.isOnFront()),
                        series(points, point -> point.isOnFront() && !point.isChosen()),
                        series(points, SearchTable.Point::isChosen)));
    }

    private static XYChart.Series<Number, Number> series(List<SearchTable.Point> points,
            Predicate<SearchTable.Point> shown) {
        return new XYChart.Series<>(FXCollections.observableArrayList(points.stream()
                .filter(shown)
                .map(point -> new XYChart.Data<Number, Number>(point.parameters(), point.loss()))
                .toList()));
    }
}
