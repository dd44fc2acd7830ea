package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atlantafx.base.theme.Styles;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.SearchFieldView;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.tuning.measure.ClipScores;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.collections.transformation.FilteredList;
import javafx.collections.transformation.SortedList;
import javafx.scene.control.Label;
import javafx.scene.control.MenuItem;
import javafx.scene.control.TableCell;
import javafx.scene.control.TableColumn;
import javafx.scene.control.TableRow;
import javafx.scene.control.TableView;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.control.cell.TextFieldTableCell;
import javafx.scene.input.KeyCode;
import javafx.scene.input.MouseButton;
import javafx.util.converter.DefaultStringConverter;
import org.jspecify.annotations.Nullable;

/// The subject's runs as a table that sorts and is searched. A click opens a run; names and notes are edited in place;
/// unfinished runs can be resumed; a damaged run is listed with the reason.
public final class RunsTableView extends CardView {
    private static final double ROW_HEIGHT = 36;
    private static final int MAX_ROWS = 12;
    private static final double ACTIONS_WIDTH = 110;
    private static final double MIN_TEXT_WIDTH = 90;

    private final RunsViewModel model;
    private final InstantSource clock;
    private final Function<RunSummary, Optional<ClipScores>> measures;
    private final Function<RunSummary, List<MenuItem>> extraItems;
    private final ObservableList<RunRow> rows = FXCollections.observableArrayList();
    private final TableView<RunRow> table = new TableView<>();
    /// Columns of a list are shown together: likeness never without alignment.
    private final List<List<TableColumn<RunRow, ?>>> byImportance = new ArrayList<>();
    private final TableColumn<RunRow, String> name;
    private final TableColumn<RunRow, String> note;
    private final TableColumn<RunRow, String> method = column("runs.column.method", RunRow::method);
    private final List<TableColumn<RunRow, Double>> measureColumns = List.of(
            measure("runs.column.likeness", ClipScores::likeness),
            measure("runs.column.diversity", ClipScores::diversity),
            measure("runs.column.alignment", ClipScores::alignment));

    /// @param measures   of a run's images, where they are known
    /// @param extraItems more items of a run's menu, created when it opens
    public RunsTableView(RunsViewModel model, InstantSource clock, Function<RunSummary, Optional<ClipScores>> measures,
            Function<RunSummary, List<MenuItem>> extraItems) {
        super(text("runs.title"));
        this.model = model;
        this.clock = clock;
        this.measures = measures;
        this.extraItems = extraItems;
        name = edited("runs.column.name", RunRow::title,
                (run, value) -> model.label(run, new RunLabel(value.strip(), run.label().note())));
        note = edited("runs.column.note", RunRow::note,
                (run, value) -> model.label(run, new RunLabel(run.label().name(), value.strip())));
        TextField search = new SearchFieldView("search-runs", text("runs.search"));
        FilteredList<RunRow> found = new FilteredList<>(rows);
        search.textProperty().subscribe(query -> {
            String wanted = query.strip().toLowerCase(Locale.ROOT);
            found.setPredicate(row -> row.contains(wanted));
        });
        SortedList<RunRow> sorted = new SortedList<>(found);
        sorted.comparatorProperty().bind(table.comparatorProperty());
        setUpTable(sorted);
        model.runs().addListener((ListChangeListener<RunSummary>) change -> refresh());
        model.damaged().addListener((ListChangeListener<RunStore.DamagedRun>) change -> refresh());
        refresh();
        addToHeader(search);
        add(table, new NoteView(NoteView.NoteKind.ERROR, model.problem()));
    }

    /// Shows the runs again, with the measures that are known now.
    public void refresh() {
        rows.setAll(Stream.concat(model.runs().stream().map(run -> new RunRow(run, null)),
                model.damaged().stream().map(damaged -> new RunRow(null, damaged))).toList());
        showColumns();
        subtitle().setText(rows.isEmpty() ? "" : String.valueOf(rows.size()));
        double height = ROW_HEIGHT * (1 + Math.clamp(rows.size(), 1, MAX_ROWS)) + 4;
        table.setMinHeight(height);
        table.setPrefHeight(height);
    }

    /// The columns that have values and fit beside name and actions, the most important ones first.
    private void showColumns() {
        // Without names of their own, runs are named by their methods.
        boolean named = model.runs().stream().anyMatch(run -> !run.label().name().isEmpty());
        boolean measured = model.runs().stream().anyMatch(run -> measures.apply(run).isPresent());
        double free = table.getWidth() == 0 ? Double.MAX_VALUE : table.getWidth() - MIN_TEXT_WIDTH - ACTIONS_WIDTH;
        for (List<TableColumn<RunRow, ?>> columns : byImportance) {
            boolean hasValues = columns.contains(method) ? named : measured || !columns.containsAll(measureColumns);
            double needed = columns.stream().mapToDouble(TableColumn::getMinWidth).sum();
            boolean visible = hasValues && needed <= free;
            columns.forEach(column -> column.setVisible(visible));
            if (visible) free -= needed;
        }
    }

    private void setUpTable(SortedList<RunRow> sorted) {
        table.setId("runs");
        table.getStyleClass().addAll(Styles.DENSE, "runs-table");
        table.setItems(sorted);
        table.setEditable(true);
        table.setColumnResizePolicy(TableView.CONSTRAINED_RESIZE_POLICY_ALL_COLUMNS);
        Label none = new Label(text("runs.none"));
        none.getStyleClass().add("muted");
        table.setPlaceholder(none);
        table.setAccessibleText(text("runs.title"));
        addColumns();
        table.setRowFactory(view -> row());
        table.setOnKeyPressed(key -> {
            RunRow selected = table.getSelectionModel().getSelectedItem();
            if (selected == null || table.getEditingCell() != null) return;
            if (key.getCode() == KeyCode.ENTER) open(selected);
            else if (key.getCode() == KeyCode.DELETE) delete(selected);
            else return;
            key.consume();
        });
    }

    private void addColumns() {
        TableColumn<RunRow, ?> parameters = number("runs.column.parameters",
                run -> run.report().map(report -> (double) report.parameterCount()),
                value -> DisplayFormat.compactCount(value.longValue()));
        TableColumn<RunRow, ?> file = number("runs.column.file",
                run -> run.report().map(report -> (double) report.bytes()),
                value -> DisplayFormat.bytes(value.longValue()));
        TableColumn<RunRow, ?> time = number("runs.column.time", run -> run.report().map(report -> report.seconds()),
                DisplayFormat::duration);
        TableColumn<RunRow, ?> loss = number("runs.column.loss", RunsTableView::loss,
                value -> String.format(Locale.ROOT, "%.4f", value));
        TableColumn<RunRow, ?> created = created(), state = column("runs.column.state", RunRow::state);
        List<TableColumn<RunRow, ?>> columns = new ArrayList<>(List.of(name, method, parameters, file, time, loss));
        columns.addAll(measureColumns);
        columns.addAll(List.of(created, state, note, actions()));
        double[] widths = {150, 120, 100, 74, 100, 74, 84, 84, 92, 110, 100, 200, ACTIONS_WIDTH};
        for (int i = 0; i < widths.length; i++) columns.get(i).setPrefWidth(widths[i]);
        // What a wider table has more goes to names and notes.
        for (TableColumn<RunRow, ?> column : columns) {
            boolean isText = column == name || column == note || column == method;
            column.setMinWidth(isText ? MIN_TEXT_WIDTH : column.getPrefWidth() * 0.95);
            if (!isText) column.setMaxWidth(column.getPrefWidth() * 1.15);
        }
        table.getColumns().setAll(columns);
        byImportance.add(List.of(state));
        byImportance.add(List.of(time));
        byImportance.add(List.copyOf(measureColumns));
        for (TableColumn<RunRow, ?> column : List.of(loss, parameters, file, method, created, note))
            byImportance.add(List.of(column));
        table.widthProperty().subscribe(this::showColumns);
    }

    private TableRow<RunRow> row() {
        TableRow<RunRow> row = new TableRow<>();
        row.setOnMouseClicked(click -> {
            if (click.getButton() == MouseButton.PRIMARY && row.getItem() != null) open(row.getItem());
        });
        row.itemProperty()
                .subscribe(item -> row.setTooltip(item == null || item.note().isEmpty() ? null
                        : new Tooltip(item.note())));
        return row;
    }

    private void open(RunRow row) {
        if (row.run() != null) model.open(row.run());
    }

    private void delete(RunRow row) {
        if (row.run() != null) model.delete(row.run());
        else if (row.damaged() != null) model.delete(row.damaged());
    }

    private static Optional<Double> loss(RunSummary run) {
        List<RunProgress.LossPoint> losses = run.progress().losses();
        return losses.isEmpty() ? Optional.empty() : Optional.of(losses.getLast().smoothed());
    }

    private static TableColumn<RunRow, String> column(String key, Function<RunRow, String> value) {
        TableColumn<RunRow, String> column = new TableColumn<>(text(key));
        column.setCellValueFactory(cell -> new ReadOnlyStringWrapper(value.apply(cell.getValue())));
        return column;
    }

    private TableColumn<RunRow, String> edited(String key, Function<RunRow, String> value,
            BiConsumer<RunSummary, String> commit) {
        TableColumn<RunRow, String> column = column(key, value);
        column.setCellFactory(view -> new TextFieldTableCell<>(new DefaultStringConverter()) {
            @Override
            public void startEdit() {
                RunRow row = getTableRow() == null ? null : getTableRow().getItem();
                if (row != null && row.run() != null) super.startEdit();
            }
        });
        column.setOnEditCommit(edit -> {
            RunSummary run = edit.getRowValue().run();
            if (run != null && !edit.getNewValue().equals(edit.getOldValue())) commit.accept(run, edit.getNewValue());
        });
        return column;
    }

    private static TableColumn<RunRow, Double> number(String key, Function<RunSummary, Optional<Double>> value,
            Function<Double, String> format) {
        TableColumn<RunRow, Double> column = new TableColumn<>(text(key));
        column.setCellValueFactory(cell -> new ReadOnlyObjectWrapper<>(
                Optional.ofNullable(cell.getValue().run()).flatMap(value).orElse(null)));
        column.setCellFactory(view -> new TableCell<>() {
            @Override
            protected void updateItem(@Nullable Double item, boolean empty) {
                super.updateItem(item, empty);
                setText(empty || item == null ? "" : format.apply(item));
            }
        });
        column.getStyleClass().add("number");
        return column;
    }

    private TableColumn<RunRow, Double> measure(String key, Function<ClipScores, OptionalDouble> value) {
        return number(key, run -> measures.apply(run)
                .map(value)
                .flatMap(score -> score.isPresent()
                        ? Optional.of(score.getAsDouble())
                        : Optional.empty()),
                score -> String.format(Locale.ROOT, "%.2f", score));
    }

    private TableColumn<RunRow, Instant> created() {
        TableColumn<RunRow, Instant> column = new TableColumn<>(text("runs.column.created"));
        column.setCellValueFactory(cell -> new ReadOnlyObjectWrapper<>(
                cell.getValue().run() == null ? null : cell.getValue().run().created()));
        column.setCellFactory(view -> new TableCell<>() {
            @Override
            protected void updateItem(@Nullable Instant item, boolean empty) {
                super.updateItem(item, empty);
                setText(empty || item == null ? "" : DisplayFormat.dateTime(item, clock.instant()));
            }
        });
        return column;
    }

    private TableColumn<RunRow, RunRow> actions() {
        TableColumn<RunRow, RunRow> column = new TableColumn<>();
        column.setSortable(false);
        column.setMinWidth(46);
        column.setCellValueFactory(cell -> new ReadOnlyObjectWrapper<>(cell.getValue()));
        column.setCellFactory(view -> new TableCell<>() {
            @Override
            protected void updateItem(@Nullable RunRow row, boolean empty) {
                super.updateItem(row, empty);
                setGraphic(empty || row == null ? null
                        : new RunActionsView(row, model::resume, () -> menuItems(row, getIndex())));
            }
        });
        return column;
    }

    private List<MenuItem> menuItems(RunRow row, int index) {
        MenuItem delete = item("runs.delete", () -> delete(row));
        RunSummary run = row.run();
        if (run == null) return List.of(delete);
        return Stream.of(
                Stream.of(item("runs.open", () -> open(row)), item("runs.rename", () -> table.edit(index, name)),
                        item("runs.edit-note", () -> table.edit(index, note))),
                extraItems.apply(run).stream(),
                Stream.of(delete)).flatMap(each -> each).toList();
    }

    private static MenuItem item(String key, Runnable action) {
        MenuItem item = new MenuItem(text(key));
        item.setOnAction(chosen -> action.run());
        return item;
    }
}
