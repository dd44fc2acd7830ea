package atomstudio.app.tune;

import java.util.List;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Label;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// What a run had to say, a line each with its step: the precision that was chosen, a lack of memory, an early end, the best step.
final class RemarksView extends VBox {
    private List<RunProgress.Remark> shown = List.of();

    RemarksView(ObservableValue<WatchedRun> watched) {
        super(3);
        setId("remarks");
        watched.subscribe(now -> show(now == null ? List.of() : now.progress().history().notes()));
    }

    private void show(List<RunProgress.Remark> remarks) {
        setVisible(!remarks.isEmpty());
        setManaged(!remarks.isEmpty());
        if (remarks.equals(shown)) return;
        shown = remarks;
        getChildren().setAll(remarks.stream().map(RemarksView::line).toList());
    }

    private static Label line(RunProgress.Remark remark) {
        Label line = new Label((remark.step() == 0 ? "" : "step " + remark.step() + ": ") + remark.text());
        line.getStyleClass().addAll("note", "note-plain", "remark");
        line.setWrapText(true);
        line.setMinHeight(Region.USE_PREF_SIZE);
        return line;
    }
}
