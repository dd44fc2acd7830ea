package atomstudio.app.controls;

import java.util.Locale;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Label;
import javafx.scene.layout.Region;

/// A message inside a card; takes no space while its text is empty.
public final class NoteView extends Label {
    public enum NoteKind { PLAIN, GOOD, WARNING, ERROR }

    public NoteView(NoteKind kind, ObservableValue<String> text) {
        getStyleClass().addAll("note", "note-" + kind.name().toLowerCase(Locale.ROOT));
        setWrapText(true);
        setMinHeight(Region.USE_PREF_SIZE);
        setMaxWidth(Double.MAX_VALUE);
        textProperty().bind(text);
        visibleProperty().bind(text.map(words -> !words.isEmpty()));
        managedProperty().bind(visibleProperty());
    }
}
