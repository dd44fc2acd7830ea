package atomstudio.app.export;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportPlan;
import atomstudio.tuning.export.LowRankExport;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressIndicator;
import javafx.scene.control.RadioButton;
import javafx.scene.control.Slider;
import javafx.scene.control.ToggleGroup;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// The formats of a run's adapter with their size and error, before one is written.
public final class ExportDialogView extends OverlayView {
    private static final double WIDTH = 640;
    /// Above it the exact formats are recommended.
    private static final double LARGE_ERROR = 0.1;

    private final ExportViewModel model;
    private final Label title = new Label();
    private final VBox content = new VBox(10);
    private final Button export;
    private final ToggleGroup formats = new ToggleGroup();
    private final Slider rank = new Slider(1, LowRankExport.MAX_RANK, ExportFormat.DEFAULT_RANK);

    public ExportDialogView(ExportViewModel model) {
        this.model = model;
        title.getStyleClass().add("row-title");
        export = new ActionButtonView(text("export.export.choose"), this::exportSelected, "accent")
                .withId("export-selected");
        export.disableProperty().bind(formats.selectedToggleProperty().isNull());
        rank.setId("export-rank");
        rank.setBlockIncrement(1);
        HBox buttons = new HBox(8, export,
                new ActionButtonView(text("export.cancel"), model::close).withId("export-cancel"));
        VBox card = new VBox(12, title, content, buttons);
        card.setMaxSize(WIDTH, Region.USE_PREF_SIZE);
        setCard(card, model::close);
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            if (key.getCode() == KeyCode.ESCAPE) model.close();
        });
        model.dialog().subscribe(this::show);
    }

    private void show(ExportViewModel.@Nullable ExportDialog dialog) {
        if (dialog == null) {
            hideOverlay();
            return;
        }
        title.setText(text("export.dialog.title", dialog.run().title()));
        formats.getToggles().clear();
        content.getChildren().setAll(dialog.plan().<Node>map(this::rows).orElseGet(() -> waiting(dialog.problem())));
        showOverlay(export);
        if (!formats.getToggles().isEmpty()) ((RadioButton) formats.getToggles().getFirst()).requestFocus();
    }

    private static Node waiting(String problem) {
        if (!problem.isEmpty()) return new MutedLabelView(problem);
        ProgressIndicator progress = new ProgressIndicator();
        progress.setMaxSize(20, 20);
        HBox row = new HBox(8, progress, new MutedLabelView(text("export.computing")));
        row.setAlignment(Pos.CENTER_LEFT);
        return row;
    }

    private GridPane rows(ExportPlan plan) {
        GridPane grid = new GridPane(14, 6);
        int row = 0;
        for (ExportPlan.FormatSize size : plan.formats()) {
            ExportFormat format = size.format();
            RadioButton choice = new RadioButton(capitalized(format.description()));
            choice.setId("export-format-" + format.option());
            choice.setUserData(format);
            choice.setToggleGroup(formats);
            choice.setWrapText(true);
            Label bytes = new Label(size.bytes().map(DisplayFormat::bytes).orElse(""));
            bytes.setMinWidth(Region.USE_PREF_SIZE);
            Label error = new Label(exactness(format));
            error.getStyleClass().add("muted");
            error.setMinWidth(Region.USE_PREF_SIZE);
            grid.addRow(row++, choice, bytes, error);
            if (format == ExportFormat.LOCON)
                grid.add(rankRow(plan.approximate().orElseThrow(), bytes, error), 0, row++, 3, 1);
        }
        if (!formats.getToggles().isEmpty()) formats.selectToggle(formats.getToggles().getFirst());
        if (plan.problem().isPresent())
            grid.add(new MutedLabelView(text("export.missing-formats", plan.problem().get())), 0, row, 3, 1);
        return grid;
    }

    /// The slider of the rank, with the size and error that follow.
    private Node rankRow(LowRankExport approximate, Label bytes, Label error) {
        Label value = new Label();
        MutedLabelView advice = new MutedLabelView(text("export.large-error"), "small-text");
        advice.managedProperty().bind(advice.visibleProperty());
        Runnable update = () -> {
            LowRankExport.Plan plan = plan(approximate);
            value.setText(text("export.rank", rank()));
            bytes.setText(DisplayFormat.bytes(plan.bytes()));
            error.setText(text("export.error", 100 * plan.error()));
            advice.setVisible(plan.error() > LARGE_ERROR);
        };
        rank.valueProperty().when(rank.sceneProperty().map(scene -> true).orElse(false)).subscribe(now -> update.run());
        update.run();
        HBox row = new HBox(8, rank, value);
        row.setAlignment(Pos.CENTER_LEFT);
        VBox indented = new VBox(2, row, advice);
        indented.getStyleClass().add("export-rank");
        return indented;
    }

    private int rank() {
        return (int) Math.round(rank.getValue());
    }

    private LowRankExport.Plan plan(LowRankExport approximate) {
        try {
            return approximate.plan(new LowRankExport.Budget.Rank(rank()));
        } catch (Failure e) {
            throw new IllegalStateException(e); // only sizes and errors can be out of reach
        }
    }

    private static String exactness(ExportFormat format) {
        return switch (format) {
            case LOCON -> "";
            case DIFF, MERGED, MERGED_DIFFUSERS -> text("export.exactness.half");
            case EMBEDDING -> text("export.exactness.word");
            case DIFF_BIASES -> text("export.exactness.biases");
            default -> text("export.exactness.exact");
        };
    }

    private void exportSelected() {
        if (formats.getSelectedToggle() != null)
            model.exportShown((ExportFormat) formats.getSelectedToggle().getUserData(), rank());
    }

    private static String capitalized(String text) {
        return text.substring(0, 1).toUpperCase(java.util.Locale.ROOT) + text.substring(1);
    }
}
