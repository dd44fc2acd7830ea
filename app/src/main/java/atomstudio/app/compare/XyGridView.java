package atomstudio.app.compare;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CellOrder.CellChange;
import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.XyGridViewModel.AxisInput;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.TitleConverter;
import java.util.List;
import javafx.scene.control.CheckBox;
import javafx.scene.control.ComboBox;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The form of an X/Y grid.
final class XyGridView extends VBox {
    private static final double WIDTH = 360;

    private final XyGridViewModel model;
    private final ComboBox<CompareRow> row = new ComboBox<>();
    private final AxisView x;
    private final AxisView y;

    /// @param onShown called when the grid is shown
    XyGridView(CompareViewModel comparison, Runnable onShown) {
        super(10);
        model = comparison.gridChoice();
        setPrefWidth(WIDTH);
        getStyleClass().add("xy-form");
        row.setConverter(new TitleConverter<>(CompareRow::title));
        row.setMaxWidth(Double.MAX_VALUE);
        row.setId("xy-row");
        row.getItems().setAll(comparison.rows());
        row.setValue(comparison.rows().getLast());
        x = new AxisView("x", GridAxis.STRENGTH);
        y = new AxisView("y", GridAxis.STEPS);
        row.valueProperty().addListener((property, before, now) -> {
            x.refresh();
            y.refresh();
        });
        VBox adapter = new VBox(4, new Label(text("compare.xy.row")), row);
        ActionButtonView show = new ActionButtonView(text("compare.xy.show"), () -> {
            model.show(row.getValue(), x.input(), y.input());
            if (model.problem().get().isEmpty()) onShown.run();
        }, "accent").withId("xy-show");
        show.setDefaultButton(true);
        getChildren().addAll(adapter, x, y, new NoteView(NoteView.NoteKind.ERROR, model.problem()), show);
    }

    /// An axis: its kind, and its numbers in a field or its values as check boxes.
    private final class AxisView extends VBox {
        private final ComboBox<GridAxis> axis = new ComboBox<>();
        private final TextField numbers = new TextField();
        private final VBox values = new VBox(4);

        AxisView(String name, GridAxis initial) {
            super(4);
            axis.setConverter(new TitleConverter<>(GridAxis::title));
            axis.getItems().setAll(GridAxis.values());
            axis.setValue(initial);
            axis.setId("xy-axis-" + name);
            numbers.setId("xy-values-" + name);
            numbers.setAccessibleText(text("compare.xy.values"));
            axis.valueProperty().addListener((property, before, now) -> refresh());
            GridPane line = new GridPane(8, 0);
            line.addRow(0, axis, numbers);
            GridPane.setHgrow(numbers, Priority.ALWAYS);
            getChildren().addAll(new Label(text(name.equals("x") ? "compare.xy.x" : "compare.xy.y")), line, values);
            refresh();
        }

        private void refresh() {
            GridAxis chosen = axis.getValue();
            numbers.setVisible(chosen.isNumber());
            numbers.setText(chosen.example());
            values.getChildren().clear();
            if (!chosen.isNumber() && row.getValue() != null)
                model.findValues(chosen, row.getValue(), found -> showValues(chosen, found));
        }

        private void showValues(GridAxis of, List<CellChange> found) {
            if (axis.getValue() != of) return;
            for (CellChange value : found) {
                CheckBox box = new CheckBox(value.title());
                box.setUserData(value);
                box.setSelected(true);
                values.getChildren().add(box);
            }
            if (found.isEmpty()) values.getChildren().add(new Label(text("compare.xy.nothing")));
        }

        AxisInput input() {
            return new AxisInput(axis.getValue(), numbers.getText(), values.getChildren()
                    .stream()
                    .filter(node -> node instanceof CheckBox box && box.isSelected())
                    .map(node -> (CellChange) node.getUserData())
                    .toList());
        }
    }
}
