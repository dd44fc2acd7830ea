package atomstudio.app.export;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.export.ExportViewModel.Approximation;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.LowRankExport;
import atomstudio.tuning.export.LowRankExport.Budget;
import javafx.geometry.Pos;
import javafx.scene.control.ComboBox;
import javafx.scene.control.Label;
import javafx.scene.control.Slider;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// The budget of the approximate format: a rank, a size or an error, with the size and error that follow.
final class LowRankView extends VBox {
    /// Above it the exact formats are recommended.
    private static final double LARGE_ERROR = 0.1;
    private static final double MEGABYTE = 1e6;

    private final ComboBox<BudgetKind> kind = new ComboBox<>();
    private final Slider slider = new Slider();
    private final Label value = new Label();
    private final Label ranks = new MutedLabelView("", "small-text");
    private final MutedLabelView advice = new MutedLabelView("", "small-text");
    private final LowRankExport approximate;

    private enum BudgetKind {
        RANK, SIZE, ERROR;

        String title() {
            return switch (this) {
                case RANK -> text("export.budget.rank");
                case SIZE -> text("export.budget.size");
                case ERROR -> text("export.budget.error");
            };
        }
    }

    LowRankView(LowRankExport approximate, ExportViewModel model) {
        super(2);
        this.approximate = approximate;
        getStyleClass().add("export-rank");
        kind.setId("export-budget");
        kind.setConverter(new TitleConverter<>(BudgetKind::title));
        kind.getItems().setAll(BudgetKind.values());
        kind.setAccessibleText(text("export.budget"));
        kind.setMinWidth(Region.USE_PREF_SIZE);
        slider.setId("export-rank");
        slider.setAccessibleText(text("export.budget"));
        value.setMinWidth(Region.USE_PREF_SIZE);
        kind.valueProperty().addListener((property, before, now) -> setRange(now));
        slider.valueProperty().addListener((property, before, now) -> {
            value.setText(describe(budget()));
            model.setBudget(budget());
        });
        kind.setValue(BudgetKind.RANK);
        advice.managedProperty().bind(advice.visibleProperty());
        HBox row = new HBox(8, kind, slider, value);
        row.setAlignment(Pos.CENTER_LEFT);
        getChildren().addAll(row, ranks, advice);
    }

    private void setRange(BudgetKind chosen) {
        double most = approximate.maxBytes() / MEGABYTE;
        // The value that lies in all ranges keeps the listener from seeing one outside.
        slider.setMin(0);
        slider.setMax(Math.max(most, LowRankExport.MAX_RANK));
        switch (chosen) {
            case RANK -> setRange(1, LowRankExport.MAX_RANK, ExportFormat.DEFAULT_RANK, 1);
            case SIZE -> setRange(most / 100, most, most / 4, most / 100);
            case ERROR -> setRange(1, 95, 100 * LARGE_ERROR, 1);
        }
    }

    private void setRange(double min, double max, double initial, double step) {
        slider.setValue(Math.min(max, initial));
        slider.setMin(min);
        slider.setMax(max);
        slider.setBlockIncrement(step);
    }

    private Budget budget() {
        double chosen = slider.getValue();
        return switch (kind.getValue()) {
            case RANK -> new Budget.Rank((int) Math.clamp(Math.round(chosen), 1, LowRankExport.MAX_RANK));
            case SIZE -> new Budget.Size(Math.max(1, Math.round(chosen * MEGABYTE)));
            case ERROR -> new Budget.Error(Math.clamp(chosen / 100, 0.001, 0.999));
        };
    }

    private static String describe(Budget budget) {
        return switch (budget) {
            case Budget.Rank(int rank) -> text("export.rank", rank);
            case Budget.Size(long bytes) -> text("export.at-most", DisplayFormat.bytes(bytes));
            case Budget.Error(double error) -> text("export.at-most", text("export.percent", 100 * error));
        };
    }

    /// Shows the ranks; size and error go into the labels of the table.
    void show(Approximation approximation, Label bytes, Label error) {
        bytes.setText(approximation.plan().map(plan -> DisplayFormat.bytes(plan.bytes())).orElse(""));
        error.setText(approximation.plan().map(plan -> text("export.error", 100 * plan.error())).orElse(""));
        ranks.setText(approximation.plan()
                .map(plan -> text("export.ranks", plan.ranks().stream().mapToInt(Integer::intValue).min().orElse(0),
                        plan.ranks().stream().mapToInt(Integer::intValue).max().orElse(0)))
                .orElse(""));
        boolean isLarge = approximation.plan().filter(plan -> plan.error() > LARGE_ERROR).isPresent();
        advice.setText(isLarge ? text("export.large-error") : approximation.problem());
        advice.setVisible(!advice.getText().isEmpty());
    }
}
