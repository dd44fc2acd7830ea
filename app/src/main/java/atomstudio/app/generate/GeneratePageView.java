package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.gallery.LargeImageViewModel;
import java.util.Optional;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;

/// Images without a subject: the panel with their settings, and the images.
public final class GeneratePageView extends HBox {
    private final GenerateViewModel model;
    private final GeneratePanelView panel;

    public GeneratePageView(GenerateViewModel model, LargeImageViewModel largeImage) {
        this.model = model;
        getStyleClass().add("generate-page");
        panel = new GeneratePanelView(model);
        ScrollPane gallery = new ScrollPane(new GalleryView(model, largeImage, row -> Optional.empty()));
        gallery.setFitToWidth(true);
        gallery.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(gallery, Priority.ALWAYS);
        VBox canvas = new VBox(10, statusLine(), gallery);
        canvas.getStyleClass().add("generate-canvas");
        HBox.setHgrow(canvas, Priority.ALWAYS);
        getChildren().addAll(panel, canvas);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onShortcut);
        addEventHandler(KeyEvent.KEY_PRESSED, this::onCancel);
        sceneProperty().subscribe(scene -> {
            if (scene != null) model.checkFiles();
        });
    }

    private Node statusLine() {
        Label status = new MutedLabelView("");
        status.textProperty().bind(model.busy());
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button cancel = new ActionButtonView(text("generate.cancel"), model::cancel).withId("cancel-generate");
        cancel.setTooltip(new Tooltip(Shortcut.CANCEL.tip(text("generate.cancel"))));
        cancel.visibleProperty().bind(model.busy().map(busy -> !busy.isEmpty()));
        model.busy().addListener((property, before, now) -> {
            if (cancel.isFocused() && now.isEmpty()) panel.focusGenerate();
        });
        HBox line = new HBox(10, gap, status, cancel);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
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
