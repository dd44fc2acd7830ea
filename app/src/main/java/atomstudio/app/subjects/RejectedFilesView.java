package atomstudio.app.subjects;

import atomstudio.app.dataset.SubjectStore;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.scene.control.Label;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Rejected files with the reasons.
public final class RejectedFilesView extends VBox {
    public RejectedFilesView(ObservableList<SubjectStore.RejectedFile> rejected) {
        super(4);
        Runnable refresh = () -> {
            getChildren().setAll(rejected.stream().map(RejectedFilesView::line).toList());
            setVisible(!rejected.isEmpty());
            setManaged(!rejected.isEmpty());
        };
        rejected.addListener((ListChangeListener<SubjectStore.RejectedFile>) change -> refresh.run());
        refresh.run();
    }

    private static Label line(SubjectStore.RejectedFile rejected) {
        Label line = new Label(rejected.message());
        line.setWrapText(true);
        line.setMinHeight(Region.USE_PREF_SIZE);
        line.getStyleClass().addAll("note", "note-error");
        return line;
    }
}
