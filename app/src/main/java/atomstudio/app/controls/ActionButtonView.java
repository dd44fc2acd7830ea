package atomstudio.app.controls;

import javafx.scene.control.Button;
import javafx.scene.layout.Region;

/// A button that runs an action and is never narrower than its text.
public final class ActionButtonView extends Button {
    public ActionButtonView(String text, Runnable action, String... styleClasses) {
        super(text);
        getStyleClass().addAll(styleClasses);
        setMinWidth(Region.USE_PREF_SIZE);
        setOnAction(pressed -> action.run());
    }

    /// Sets the id and returns this button.
    public ActionButtonView withId(String id) {
        setId(id);
        return this;
    }
}
