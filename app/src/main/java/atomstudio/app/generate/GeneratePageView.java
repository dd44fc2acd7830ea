package atomstudio.app.generate;

import atomstudio.app.gallery.LargeImageViewModel;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;

/// Images without a subject: the panel with their settings, and the images.
public final class GeneratePageView extends HBox {
    public GeneratePageView(GenerateViewModel model, LargeImageViewModel largeImage) {
        getStyleClass().add("generate-page");
        CanvasView canvas = new CanvasView(model, largeImage);
        HBox.setHgrow(canvas, Priority.ALWAYS);
        getChildren().addAll(new GeneratePanelView(model), canvas);
    }
}
