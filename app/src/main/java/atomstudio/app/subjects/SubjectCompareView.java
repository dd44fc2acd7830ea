package atomstudio.app.subjects;

import atomstudio.app.compare.CompareView;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The tab to compare: the base model and adapters at the same prompts and seeds.
public final class SubjectCompareView extends VBox {
    public SubjectCompareView(SubjectPageViewModel model) {
        CompareView comparison = new CompareView(model.compare(), model.largeImage(), model.export());
        VBox.setVgrow(comparison, Priority.ALWAYS);
        getChildren().add(comparison);
    }
}
