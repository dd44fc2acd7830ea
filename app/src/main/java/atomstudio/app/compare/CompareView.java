package atomstudio.app.compare;

import static atomstudio.app.controls.ShownView.refreshWhileShown;
import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atlantafx.base.controls.Popover;
import atlantafx.base.theme.Styles;
import atomstudio.app.compare.CompareCells.CellState;
import atomstudio.app.compare.CompareTable.ColumnChoice;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.ComparedAdapter.OfRun;
import atomstudio.app.compare.ComparedAdapter.OfTraining;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.GeneratePanelView;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.PromptFieldView;
import atomstudio.app.runs.RunSummary;
import java.util.ArrayList;
import java.util.List;
import javafx.beans.binding.Bindings;
import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.ComboBox;
import javafx.scene.control.Label;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.SeparatorMenuItem;
import javafx.scene.control.Slider;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// A subject's comparison over the whole width: the prompt, the table of images, and at the right the figure, rows,
/// grids and export.
public final class CompareView extends HBox {
    private static final double SIDE_WIDTH = 276;
    /// Offered for a new row; every strength can be typed in the row.
    private static final List<Double> STRENGTHS = List.of(1.0, 0.75, 0.5, 1.25, 1.5);

    private final CompareViewModel comparison;
    private final Button generate;
    private final Button cancel;
    private final PromptFieldView prompt;
    private final HBox promptLine;
    private final ToggleButton settings;
    /// Built when it is first shown.
    private @Nullable GeneratePanelView panel;

    public CompareView(CompareViewModel comparison, LargeImageViewModel largeImage, ExportViewModel export) {
        this.comparison = comparison;
        getStyleClass().add("compare-comparison");
        generate = generateButton("generate");
        prompt = new PromptFieldView(comparison.panel());
        settings = new ToggleButton(text("compare.settings"), new FontIcon(Feather.SLIDERS));
        cancel = new ActionButtonView(text("compare.cancel"), comparison::cancel).withId("cancel-generate");
        bindVisible(cancel, comparison.batches().busy().isNotEmpty());
        comparison.batches().busy().addListener((property, before, now) -> {
            if (cancel.isFocused() && now.isEmpty()) generate.requestFocus();
        });
        CompareTableView table = new CompareTableView(comparison, largeImage);
        VBox.setVgrow(table, Priority.ALWAYS);
        HBox.setHgrow(prompt, Priority.ALWAYS);
        prompt.setMinWidth(0);
        promptLine = new HBox(8, prompt, generate);
        promptLine.setAlignment(Pos.CENTER_LEFT);
        VBox center = new VBox(8, promptLine, toolbar(), progress(), gridLine(), notes(), table);
        center.getStyleClass().add("compare-center");
        center.setMinWidth(0);
        HBox.setHgrow(center, Priority.ALWAYS);
        getChildren().addAll(center, sidePanel(export));
        settings.selectedProperty().subscribe(this::showSettings);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onShortcut);
        addEventHandler(KeyEvent.KEY_PRESSED, this::onCancel);
        sceneProperty().subscribe(scene -> {
            if (scene != null) comparison.checkFiles();
        });
    }

    /// The panel has the prompt too.
    private void showSettings(boolean shown) {
        if (shown && panel == null)
            panel = new GeneratePanelView(comparison.panel(), generateButton("generate-panel-button"));
        if (shown) getChildren().addFirst(panel);
        else getChildren().remove(panel);
        promptLine.setVisible(!shown);
        promptLine.setManaged(!shown);
    }

    private void onShortcut(KeyEvent key) {
        if (!Shortcut.GENERATE.matches(key)) return;
        comparison.generate();
        key.consume();
    }

    private void onCancel(KeyEvent key) {
        if (!Shortcut.CANCEL.matches(key) || comparison.batches().busy().get().isEmpty()) return;
        comparison.cancel();
        key.consume();
    }

    private Button generateButton(String id) {
        Button button = new ActionButtonView("", comparison::generate).withId(id);
        button.setMaxWidth(Double.MAX_VALUE);
        button.setTooltip(new Tooltip(Shortcut.GENERATE.tip(text("compare.generate.tip"))));
        button.textProperty()
                .bind(Bindings.createStringBinding(this::generateText, comparison.cells(),
                        comparison.metrics().unmeasured()));
        // Accented only while there is something to do; not disabled, so that the focus stays.
        button.textProperty().subscribe(shown -> {
            button.getStyleClass().remove(Styles.ACCENT);
            if (!shown.equals(text("compare.nothing-missing"))) button.getStyleClass().add(Styles.ACCENT);
        });
        return button;
    }

    private static void bindVisible(Node node, ObservableValue<Boolean> visible) {
        node.visibleProperty().bind(visible);
        node.managedProperty().bind(node.visibleProperty());
    }

    private String generateText() {
        CompareCells cells = comparison.cells().get();
        int missing = cells == null ? 0 : cells.count(CellState.MISSING);
        if (missing > 0) return count("compare.generate", missing);
        int queued = cells == null ? 0 : cells.count(CellState.QUEUED);
        if (queued > 0) return count("compare.generating", queued);
        return text(comparison.metrics().unmeasured().get() > 0 ? "compare.measure" : "compare.nothing-missing");
    }

    private Node toolbar() {
        settings.setId("compare-settings");
        settings.setMinWidth(Region.USE_PREF_SIZE);
        settings.setTooltip(new Tooltip(text("compare.settings.tip")));
        ComboBox<ColumnChoice> columns = new ComboBox<>();
        columns.setId("compare-columns");
        columns.setConverter(new TitleConverter<>(ColumnChoice::title));
        columns.getItems().setAll(ColumnChoice.values());
        columns.setAccessibleText(text("compare.columns"));
        columns.setMinWidth(Region.USE_PREF_SIZE);
        comparison.columns().subscribe(columns::setValue);
        columns.valueProperty().addListener((property, before, now) -> {
            if (now != null && now != comparison.columns().get()) comparison.setColumns(now);
        });
        Slider side = new Slider(CompareViewModel.MIN_SIDE, CompareViewModel.MAX_SIDE, comparison.side().get());
        side.setId("compare-side");
        side.setAccessibleText(text("compare.side"));
        side.setPrefWidth(96);
        side.setMinWidth(70);
        side.valueProperty().bindBidirectional(comparison.side());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(8, settings, columns, new LabeledFieldView(text("compare.side"), side), gap, cancel);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    private Node progress() {
        ProgressBar progress = new ProgressBar();
        progress.getStyleClass().add("generate-progress");
        progress.setMaxWidth(Double.MAX_VALUE);
        progress.progressProperty().bind(comparison.batches().fraction());
        bindVisible(progress, comparison.batches().busy().isNotEmpty());
        return progress;
    }

    private Node gridLine() {
        Label title = new Label();
        title.textProperty().bind(comparison.grid().map(CompareTable.XyGrid::title).orElse(""));
        Button close = new ActionButtonView(text("compare.xy.close"), () -> comparison.showGrid(null), "small")
                .withId("xy-close");
        HBox line = new HBox(8, title, close);
        line.setAlignment(Pos.CENTER_LEFT);
        bindVisible(line, comparison.grid().map(grid -> true).orElse(false));
        return line;
    }

    private Node notes() {
        return new VBox(4, new NoteView(NoteView.NoteKind.ERROR, comparison.problem()),
                new NoteView(NoteView.NoteKind.ERROR, comparison.batches().problem()),
                new NoteView(NoteView.NoteKind.WARNING, comparison.panel().source().missingSource()),
                new NoteView(NoteView.NoteKind.WARNING, comparison.progress().warning()),
                new NoteView(NoteView.NoteKind.WARNING,
                        comparison.cells()
                                .map(cells -> cells.table().omitted() == 0 ? ""
                                        : count("compare.omitted", cells.table().omitted(),
                                                CompareTable.MAX_COLUMNS))
                                .orElse("")),
                new NoteView(NoteView.NoteKind.PLAIN, comparison.batches().busy()));
    }

    private Node sidePanel(ExportViewModel export) {
        MenuButton add = new MenuButton(text("compare.add-row"));
        add.setId("compare-add-row");
        refreshWhileShown(add, comparison.rowChoice().runs(), () -> add.getItems().setAll(addItems()));
        Button grid = new Button(text("compare.xy"));
        grid.setId("compare-xy");
        grid.setOnAction(pressed -> openGrid(grid));
        Button training = new ActionButtonView(text("compare.add-training"), comparison.rowChoice()::addTraining)
                .withId("compare-add-training");
        training.setGraphic(new FontIcon(Feather.PLUS));
        training.setTooltip(new Tooltip(text("compare.add-training.tip")));
        bindVisible(training, Bindings.createBooleanBinding(this::canAddTraining, comparison.rowChoice().training(),
                comparison.rows()));
        FlowPane actions = new FlowPane(8, 8, add, grid, training);
        Region gap = new Region();
        VBox.setVgrow(gap, Priority.ALWAYS);
        VBox content = new VBox(12, new CompareFigureView(comparison), actions, gap,
                new CompareExportView(comparison, export));
        content.getStyleClass().add("compare-side");
        FocusScrollView scroll = new FocusScrollView(content);
        scroll.setFitToHeight(true);
        scroll.getStyleClass().add("compare-side-scroll");
        scroll.setMinWidth(SIDE_WIDTH);
        scroll.setMaxWidth(SIDE_WIDTH);
        return scroll;
    }

    private boolean canAddTraining() {
        return comparison.rowChoice()
                .training()
                .get()
                .filter(checkpoint -> comparison.rows()
                        .stream()
                        .noneMatch(row -> row.adapter() instanceof OfTraining of
                                && of.run().folder().equals(checkpoint.run().folder())))
                .isPresent();
    }

    private List<MenuItem> addItems() {
        List<MenuItem> items = new ArrayList<>();
        for (RunSummary run : comparison.rowChoice().runs()) {
            Menu menu = new Menu(run.title() + " · " + run.folder().getFileName());
            for (double strength : STRENGTHS) {
                MenuItem item = new MenuItem(text("compare.strength", ImageSettings.number(strength)));
                item.setOnAction(chosen -> comparison.rowChoice().add(new CompareRow(new OfRun(run), strength)));
                menu.getItems().add(item);
            }
            items.add(menu);
        }
        if (!items.isEmpty()) items.add(new SeparatorMenuItem());
        MenuItem file = new MenuItem(text("compare.add-file.item"));
        file.setOnAction(chosen -> comparison.rowChoice().addFiles());
        items.add(file);
        return items;
    }

    private void openGrid(Node owner) {
        Popover popover = new Popover();
        popover.setContentNode(new XyGridView(comparison, popover::hide));
        popover.setTitle(text("compare.xy.form"));
        popover.setHeaderAlwaysVisible(true);
        popover.setDetachable(false);
        popover.setArrowLocation(Popover.ArrowLocation.RIGHT_TOP);
        popover.show(owner);
    }
}
