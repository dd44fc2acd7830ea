package atomstudio.app.tune;

import java.util.List;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Label;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// What a run had to say, a line each with its step: the precision that was chosen, a lack of memory, an early end, the best step.
final class RunNotesView extends VBox {
    private List<RunProgress.RunNote> shown = List.of();

    RunNotesView(ObservableValue<ShownRun> watched) {
        super(3);
        setId("remarks");
        watched.subscribe(now -> show(now == null ? List.of() : now.progress().history().notes()));
    }

    private void show(List<RunProgress.RunNote> notes) {
        setVisible(!notes.isEmpty());
        setManaged(!notes.isEmpty());
        if (notes.equals(shown)) return;
        shown = notes;
        getChildren().setAll(notes.stream().map(RunNotesView::line).toList());
    }

    private static Label line(RunProgress.RunNote note) {
        Label line = new Label((note.step() == 0 ? "" : "step " + note.step() + ": ") + note.text());
        line.getStyleClass().addAll("note", "note-plain", "remark");
        line.setWrapText(true);
        line.setMinHeight(Region.USE_PREF_SIZE);
        return line;
    }
}
