package atomstudio.app.controls;

import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;

/// A control with its label in front of it, in one frame.
public final class LabeledFieldView extends HBox {
    public LabeledFieldView(String name, Node control) {
        getStyleClass().add("field");
        setAlignment(Pos.CENTER_LEFT);
        Label label = new Label(name);
        label.setLabelFor(control);
        label.getStyleClass().add("muted");
        label.setMinWidth(Region.USE_PREF_SIZE);
        setMaxWidth(Region.USE_PREF_SIZE);
        getChildren().addAll(label, control);
    }
}
