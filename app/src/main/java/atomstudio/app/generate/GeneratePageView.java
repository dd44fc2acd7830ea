package atomstudio.app.generate;

import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.models.ModelSummary;
import java.util.Optional;
import javafx.beans.property.SimpleBooleanProperty;
import javafx.beans.value.ObservableValue;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// Text-to-image and image-to-image without a subject: the base model, optionally with adapters chosen here.
public final class GeneratePageView extends VBox {
    /// @param currentModel holds null until a model is loaded
    public GeneratePageView(ObservableValue<@Nullable ModelSummary> currentModel, GenerateViewModel generate,
            LargeImageViewModel largeImage) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label("Generate");
        title.getStyleClass().add("page-title");
        Label modelLabel = new Label();
        modelLabel.getStyleClass().add("muted");
        modelLabel.textProperty()
                .bind(currentModel.map(summary -> "Model: " + summary.title()).orElse("Loading the model…"));
        ScrollPane gallery = new ScrollPane(new GalleryView(generate, largeImage, row -> Optional.empty()));
        gallery.setFitToWidth(true);
        gallery.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(gallery, Priority.ALWAYS);
        getChildren().addAll(title, modelLabel, new PromptBarView(generate, new SimpleBooleanProperty(true)), gallery);
    }
}
