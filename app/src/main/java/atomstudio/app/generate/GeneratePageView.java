package atomstudio.app.generate;

import atomstudio.app.window.WindowPage;
import atomstudio.app.window.WindowViewModel;
import java.util.Optional;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// Pictures of the base model, or with adapters that are chosen here.
public final class GeneratePageView extends VBox {
    private @Nullable Node body;

    public GeneratePageView(WindowViewModel model) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label("Generate");
        title.getStyleClass().add("page-title");
        Label modelLabel = new Label();
        modelLabel.getStyleClass().add("muted");
        modelLabel.textProperty()
                .bind(model.models()
                        .current()
                        .map(summary -> "with " + summary.title())
                        .orElse("The model is being read."));
        getChildren().addAll(title, modelLabel);
    }

    /// The page with its prompt and gallery in it.
    public GeneratePageView showPage(WindowPage.Generate page) {
        if (body == null) {
            ScrollPane scroll = new ScrollPane(
                    new GalleryView(page.generate(), page.largeImage(), row -> Optional.empty()));
            scroll.setFitToWidth(true);
            scroll.getStyleClass().add("edge-to-edge");
            VBox.setVgrow(scroll, Priority.ALWAYS);
            VBox content = new VBox(12, new PromptBarView(page.generate(), new SimpleBooleanProperty(true)), scroll);
            VBox.setVgrow(content, Priority.ALWAYS);
            body = content;
            getChildren().add(content);
        }
        return this;
    }
}
