package atomstudio.app.subjects;

import atomstudio.app.compare.CompareRoomView;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The tab to compare: the base model and adapters at the same prompts and seeds.
public final class SubjectCompareView extends VBox {
    public SubjectCompareView(SubjectPageViewModel model) {
        CompareRoomView room = new CompareRoomView(model.compare(), model.largeImage(), model.export());
        VBox.setVgrow(room, Priority.ALWAYS);
        getChildren().add(room);
    }
}
