package atomstudio.app.controls;

import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.ToggleButton;

/// Opens and folds a part of a card, and says while it is folded what in it is not as usual.
public final class ExpanderView extends ToggleButton {
    public ExpanderView(String id, String name, ObservableValue<String> summary, Node content) {
        setId(id);
        getStyleClass().addAll("flat", "fold");
        setMaxWidth(Double.MAX_VALUE);
        setAlignment(Pos.CENTER_LEFT);
        setWrapText(true);
        textProperty().bind(selectedProperty().flatMap(open -> summary
                .map(line -> (open ? "▾ " : "▸ ") + name + (open || line.isEmpty() ? "" : ": " + line))));
        content.visibleProperty().bind(selectedProperty());
        content.managedProperty().bind(selectedProperty());
        // The arrow keys go from one method to the next, and pass over those that are disabled, not those that are
        // hidden.
        content.disableProperty().bind(selectedProperty().not());
    }
}
