package atomstudio.app.controls;

import javafx.scene.control.Label;
import javafx.scene.layout.Region;

/// Secondary text that wraps.
public final class MutedLabelView extends Label {
    public MutedLabelView(String text, String... styleClasses) {
        super(text);
        getStyleClass().add("muted");
        getStyleClass().addAll(styleClasses);
        setWrapText(true);
        setMinHeight(Region.USE_PREF_SIZE);
    }
}
