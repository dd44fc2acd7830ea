package atomstudio.app.window;

import javafx.geometry.Pos;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;

/// One line of what is going on.
final class StatusBarView extends HBox {
    StatusBarView(WindowViewModel model) {
        getStyleClass().add("status-bar");
        setAlignment(Pos.CENTER_LEFT);
        Label status = new Label();
        status.setId("status");
        status.getStyleClass().add("muted");
        status.textProperty().bind(model.status());
        getChildren().add(status);
    }
}
