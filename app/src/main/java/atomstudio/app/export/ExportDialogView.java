package atomstudio.app.export;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.OverlayView;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.export.ExportViewModel.ExportDialog;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportLimit;
import atomstudio.tuning.export.ExportPlan;
import java.util.List;
import java.util.stream.Collectors;
import javafx.geometry.HPos;
import javafx.geometry.Insets;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressIndicator;
import javafx.scene.control.RadioButton;
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
    private static final double WIDTH = 740;
    /// Below the words of a radio button.
    private static final Insets INDENT = new Insets(0, 0, 4, 22);

    private final ExportViewModel model;
    private final Label title = new Label();
    private final VBox content = new VBox(10);
    private final Button export;
    private final ToggleGroup formats = new ToggleGroup();
    /// The line of the approximate format, whose content comes later.
    private final VBox approximateLine = new VBox();
    private final Label approximateBytes = new Label();
    private final Label approximateError = new Label();
    private @Nullable ExportDialog shown;

    public ExportDialogView(ExportViewModel model) {
        this.model = model;
        title.getStyleClass().add("row-title");
        export = new ActionButtonView(text("export.export.choose"), this::exportSelected, "accent")
                .withId("export-selected");
        export.disableProperty().bind(formats.selectedToggleProperty().isNull());
        approximateError.getStyleClass().add("muted");
        approximateLine.setPadding(INDENT);
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

    private void show(@Nullable ExportDialog dialog) {
        ExportDialog before = shown;
        shown = dialog;
        if (dialog == null) {
            hideOverlay();
            return;
        }
        if (before == null || !rowsOf(before).equals(rowsOf(dialog)) || !before.problem().equals(dialog.problem()))
            showRows(dialog);
        showApproximate(dialog);
    }

    /// What the rows are built from; the rest changes within them.
    private static List<Object> rowsOf(ExportDialog dialog) {
        return List.of(dialog.run(), dialog.plan().map(ExportPlan::formats), dialog.plan().map(ExportPlan::problem));
    }

    private void showRows(ExportDialog dialog) {
        title.setText(text("export.dialog.title", dialog.run().title()));
        formats.getToggles().clear();
        approximateLine.getChildren().clear();
        approximateBytes.setText("");
        approximateError.setText("");
        content.getChildren().setAll(dialog.plan().<Node>map(this::rows).orElseGet(() -> waiting(dialog.problem())));
        showOverlay(export);
        if (!formats.getToggles().isEmpty()) ((RadioButton) formats.getToggles().getFirst()).requestFocus();
    }

    private void showApproximate(ExportDialog dialog) {
        if (dialog.plan().isEmpty()) return;
        ExportPlan plan = dialog.plan().get();
        List<Node> line = approximateLine.getChildren();
        if (plan.lacksApproximate()) {
            if (line.isEmpty()) line.add(waiting(""));
            return;
        }
        if (plan.approximate().isEmpty()) return;
        if (line.isEmpty() || !(line.getFirst() instanceof LowRankView))
            approximateLine.getChildren().setAll(new LowRankView(plan.approximate().get(), model));
        dialog.approximation()
                .ifPresent(found -> ((LowRankView) line.getFirst()).show(found, approximateBytes, approximateError));
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
            boolean isApproximate = format == ExportFormat.LOCON;
            Label bytes = isApproximate ? approximateBytes
                    : new Label(size.bytes().map(DisplayFormat::bytes).orElse(""));
            bytes.setMinWidth(Region.USE_PREF_SIZE);
            Label error = isApproximate ? approximateError : new Label(exactness(format));
            if (!isApproximate) error.getStyleClass().add("muted");
            error.setMinWidth(Region.USE_PREF_SIZE);
            GridPane.setHalignment(bytes, HPos.RIGHT);
            grid.addRow(row++, choice, bytes, error);
            if (!size.limits().isEmpty()) grid.add(limits(size), 0, row++, 3, 1);
            if (isApproximate) grid.add(approximateLine, 0, row++, 3, 1);
        }
        if (!formats.getToggles().isEmpty()) formats.selectToggle(formats.getToggles().getFirst());
        if (plan.problem().isPresent())
            grid.add(new MutedLabelView(text("export.missing-formats", plan.problem().get())), 0, row, 3, 1);
        return grid;
    }

    /// Programs that read less of the file, and what to choose for them.
    private static Node limits(ExportPlan.FormatSize size) {
        String sentences = size.limits().stream().map(ExportDialogView::sentence).collect(Collectors.joining(" "));
        MutedLabelView label = new MutedLabelView(sentences);
        label.setId("export-limits-" + size.format().option());
        label.setPadding(INDENT);
        return label;
    }

    private static String sentence(ExportLimit limit) {
        return switch (limit) {
            case OTHER_LAYERS -> text("export.limit.other-layers");
            case BIASES_ALONE -> text("export.limit.biases");
            case DORA_NORMS -> text("export.limit.dora");
            case GLORA -> text("export.limit.glora");
            case FACTORED_LOKR -> text("export.limit.lokr");
            case OFT -> text("export.limit.oft");
            case RESCALED -> text("export.limit.rescaled");
            case FEW_BLOCKS -> text("export.limit.blocks");
        };
    }

    private static String exactness(ExportFormat format) {
        return switch (format) {
            case LOCON -> "";
            case DIFF, MERGED, MERGED_DIFFUSERS, MERGED_ONNX -> text("export.exactness.half");
            case EMBEDDING -> text("export.exactness.word");
            case DIFF_BIASES -> text("export.exactness.biases");
            default -> text("export.exactness.exact");
        };
    }

    private void exportSelected() {
        if (formats.getSelectedToggle() != null)
            model.exportShown((ExportFormat) formats.getSelectedToggle().getUserData());
    }

    private static String capitalized(String text) {
        return text.substring(0, 1).toUpperCase(java.util.Locale.ROOT) + text.substring(1);
    }
}
