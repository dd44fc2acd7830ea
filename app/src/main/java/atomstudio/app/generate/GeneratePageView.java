package atomstudio.app.generate;

import atomstudio.app.controls.Shortcut;
import atomstudio.app.gallery.LargeImageViewModel;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;

/// Images without a subject: the panel with their settings, and the images.
public final class GeneratePageView extends HBox {
    private final GenerateViewModel model;

    public GeneratePageView(GenerateViewModel model, LargeImageViewModel largeImage) {
        this.model = model;
        getStyleClass().add("generate-page");
        CanvasView canvas = new CanvasView(model, largeImage);
        HBox.setHgrow(canvas, Priority.ALWAYS);
        getChildren().addAll(new GeneratePanelView(model), canvas);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onShortcut);
        addEventHandler(KeyEvent.KEY_PRESSED, this::onCancel);
        sceneProperty().subscribe(scene -> {
            if (scene != null) model.checkFiles();
        });
    }

    private void onShortcut(KeyEvent key) {
        if (!Shortcut.GENERATE.matches(key)) return;
        model.generate();
        key.consume();
    }

    private void onCancel(KeyEvent key) {
        if (!Shortcut.CANCEL.matches(key) || model.busy().get().isEmpty()) return;
        model.cancel();
        key.consume();
    }
}
