package atomstudio.app.window;

import atomstudio.app.generate.GalleryView;
import atomstudio.app.generate.PromptBarView;
import java.util.Optional;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// Pictures of the base model, or with adapters that are chosen here.
final class GeneratePageView extends VBox {
    private @Nullable Node body;

    GeneratePageView(WindowViewModel model) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label("Generate");
        title.getStyleClass().add("page-title");
        Label on = new Label();
        on.getStyleClass().add("muted");
        on.textProperty().bind(model.models().current().map(summary -> "with " + summary.title()).orElse("The model is being read."));
        getChildren().addAll(title, on);
    }

    /// The page with its prompt and gallery in it.
    GeneratePageView with(Page.Generate page) {
        if (body == null) {
            ScrollPane scroll = new ScrollPane(new GalleryView(page.generate(), page.large(), row -> Optional.empty()));
            scroll.setFitToWidth(true);
            scroll.getStyleClass().add("edge-to-edge");
            VBox.setVgrow(scroll, Priority.ALWAYS);
            VBox made = new VBox(12, new PromptBarView(page.generate(), new SimpleBooleanProperty(true)), scroll);
            VBox.setVgrow(made, Priority.ALWAYS);
            body = made;
            getChildren().add(made);
        }
        return this;
    }
}
