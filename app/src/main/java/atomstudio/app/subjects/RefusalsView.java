package atomstudio.app.subjects;

import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.scene.control.Label;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Files that were not taken, each by its name and with the reason.
public final class RefusalsView extends VBox {
    public RefusalsView(ObservableList<Refusal> refusals) {
        super(4);
        getStyleClass().add("refusals");
        Runnable fill = () -> {
            getChildren().setAll(refusals.stream().map(RefusalsView::line).toList());
            setVisible(!refusals.isEmpty());
            setManaged(!refusals.isEmpty());
        };
        refusals.addListener((ListChangeListener<Refusal>) change -> fill.run());
        fill.run();
    }

    private static Label line(Refusal refusal) {
        Label line = new Label(refusal.line());
        line.setWrapText(true);
        line.setMinHeight(Region.USE_PREF_SIZE);
        line.getStyleClass().addAll("note", "note-error");
        return line;
    }
}
