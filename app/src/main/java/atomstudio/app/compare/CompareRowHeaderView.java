package atomstudio.app.compare;

import static atomstudio.app.controls.ShownView.shown;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.ComparedAdapter.OfTraining;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.pipeline.GenerationLimits;
import atomstudio.tuning.measure.ClipScores;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The title of a row: adapter and strength, the prompt it gets, its cost, and its scores as bars.
final class CompareRowHeaderView extends VBox {
    /// Ids of the fields of strengths begin with it.
    static final String FIELD = "row-strength-";
    private static final double BAR_WIDTH = 54;

    private final GridPane scores = new GridPane();

    /// @param index of the row in the table
    /// @param first the order of its first cell
    CompareRowHeaderView(CompareViewModel comparison, CompareRow row, int index, CellOrder first) {
        super(2);
        getStyleClass().add("table-header");
        setId("row-" + (row.adapter().file().isEmpty() ? "base" : row.adapter().runName()));
        Label title = new Label(row.adapter().title());
        title.getStyleClass().add("row-title");
        title.setWrapText(true);
        title.setTooltip(new Tooltip(row.title()));
        HBox line = new HBox(6, title);
        HBox.setHgrow(title, Priority.ALWAYS);
        title.setMaxWidth(Double.MAX_VALUE);
        String prompt = first.prompt().text(row.adapter().phrase(comparison.subject().get()));
        Label said = new MutedLabelView(text("compare.quoted", prompt), "small-text");
        said.setTooltip(new Tooltip(prompt));
        said.setWrapText(false);
        getChildren().addAll(line, said);
        if (row.adapter().file().isPresent()) {
            line.getChildren().addAll(strength(comparison, row, index), remove(comparison, row));
            Label cost = new MutedLabelView(text("compare.cost",
                    DisplayFormat.compactCount(row.adapter().parameters()), DisplayFormat.bytes(row.adapter().bytes())),
                    "small-text");
            getChildren().add(row.adapter() instanceof OfTraining training
                    ? new HBox(6, cost, refresh(comparison, training))
                    : cost);
        } else {
            getChildren().add(new MutedLabelView(text("compare.no-adapter"), "small-text"));
        }
        line.setAlignment(Pos.TOP_LEFT);
        scores.getStyleClass().add("metrics");
        scores.setHgap(6);
        scores.setVgap(1);
        getChildren().add(scores);
        comparison.metrics()
                .scores()
                .when(shown(this))
                .subscribe(now -> show(index < now.size() ? now.get(index) : Optional.empty()));
    }

    private static ValueFieldView<Double> strength(CompareViewModel comparison, CompareRow row, int index) {
        ValueFieldView<Double> field = ValueFieldView.ofNumber(
                new ValueFieldView.NumberRange(GenerationLimits.ADAPTER_WEIGHT, 0.1), ImageSettings::number,
                value -> comparison.rowChoice().setStrength(row, value));
        field.setId(FIELD + index);
        field.showValue(row.strength());
        field.setPrefColumnCount(3);
        field.setMinWidth(Region.USE_PREF_SIZE);
        field.setAccessibleText(text("compare.strength.of", row.adapter().title()));
        field.getStyleClass().add("row-strength");
        return field;
    }

    /// Shown while the run has a newer checkpoint.
    private Button refresh(CompareViewModel comparison, OfTraining training) {
        Button refresh = new ActionButtonView("", comparison.rowChoice()::addTraining, "flat", "small", "button-icon")
                .withId("row-refresh-" + training.runName());
        refresh.setGraphic(new FontIcon(Feather.REFRESH_CW));
        refresh.setTooltip(new Tooltip());
        refresh.managedProperty().bind(refresh.visibleProperty());
        comparison.rowChoice().training().when(shown(this)).subscribe(now -> {
            Optional<CompareRows.TrainingCheckpoint> newer = now
                    .filter(one -> one.run().folder().equals(training.run().folder()) && one.step() > training.step());
            refresh.setVisible(newer.isPresent());
            newer.ifPresent(one -> {
                refresh.getTooltip().setText(text("compare.refresh", one.step()));
                refresh.setAccessibleText(text("compare.refresh", one.step()));
            });
        });
        return refresh;
    }

    private static Button remove(CompareViewModel comparison, CompareRow row) {
        Button remove = new ActionButtonView("", () -> comparison.rowChoice().remove(row), "flat", "small",
                "button-icon");
        remove.setGraphic(new FontIcon(Feather.X));
        remove.setTooltip(new Tooltip(text("compare.remove", row.title())));
        remove.setAccessibleText(text("compare.remove", row.title()));
        return remove;
    }

    private void show(Optional<ClipScores> found) {
        scores.getChildren().clear();
        scores.setVisible(found.isPresent());
        scores.setManaged(found.isPresent());
        found.ifPresent(values -> {
            line(0, text("compare.likeness"), values.likeness());
            line(1, text("compare.diversity"), values.diversity());
            line(2, text("compare.alignment"), values.alignment());
            scores.setAccessibleText(text("compare.scores", number(values.likeness()), number(values.diversity()),
                    number(values.alignment()), values.encoder()));
        });
    }

    private void line(int index, String name, OptionalDouble value) {
        ProgressBar bar = new ProgressBar(Math.clamp(value.orElse(0), 0, 1));
        bar.getStyleClass().add("metric-bar");
        bar.setPrefWidth(BAR_WIDTH);
        bar.setMinWidth(BAR_WIDTH);
        bar.setFocusTraversable(false);
        Label amount = new MutedLabelView(number(value), "small-text");
        Label title = new MutedLabelView(name, "small-text");
        bar.setAccessibleText(name + " " + number(value));
        for (Label label : List.of(title, amount)) label.setMinWidth(Region.USE_PREF_SIZE);
        scores.addRow(index, title, bar, amount);
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "–";
    }
}
