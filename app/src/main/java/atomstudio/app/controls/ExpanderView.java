package atomstudio.app.controls;

import javafx.beans.value.ObservableValue;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.ToggleButton;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// A toggle that expands a part of a card; collapsed, it shows a summary of the part's settings.
public final class ExpanderView extends ToggleButton {
    public ExpanderView(String id, String name, ObservableValue<String> summary, Node content) {
        setId(id);
        getStyleClass().addAll("flat", "expander");
        setMaxWidth(Double.MAX_VALUE);
        setAlignment(Pos.CENTER_LEFT);
        setWrapText(true);
        FontIcon icon = new FontIcon();
        icon.iconCodeProperty()
                .bind(selectedProperty().map(open -> open ? Feather.CHEVRON_DOWN : Feather.CHEVRON_RIGHT));
        setGraphic(icon);
        textProperty().bind(selectedProperty()
                .flatMap(open -> summary.map(line -> name + (open || line.isEmpty() ? "" : ": " + line))));
        content.visibleProperty().bind(selectedProperty());
        content.managedProperty().bind(selectedProperty());
        // Arrow keys in a toggle group skip disabled buttons, but not hidden ones.
        content.disableProperty().bind(selectedProperty().not());
    }
}
