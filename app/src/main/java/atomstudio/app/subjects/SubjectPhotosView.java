package atomstudio.app.subjects;

import atomstudio.app.controls.FocusScrollView;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The tab with the subject's photos.
final class SubjectPhotosView extends VBox {
    SubjectPhotosView(SubjectPageViewModel model) {
        getStyleClass().add("subject-tab");
        FocusScrollView scroll = new FocusScrollView(new PhotosCardView(model.subject()));
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().add(scroll);
    }
}
