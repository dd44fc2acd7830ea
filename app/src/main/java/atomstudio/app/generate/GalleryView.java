package atomstudio.app.generate;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import javafx.collections.ListChangeListener;
import javafx.scene.Node;
import javafx.scene.layout.VBox;

/// The rows of pictures below each other, same seeds above each other.
public final class GalleryView extends VBox {
    private final Map<GalleryRow, GalleryRowView> views = new HashMap<>();

    /// @param extras what else stands in a row's head, such as its export button
    public GalleryView(GenerateViewModel model, LargePictureViewModel large, Function<GalleryRow, Optional<Node>> extras) {
        getStyleClass().add("gallery");
        Runnable fill = () -> {
            views.keySet().retainAll(model.rows());
            List<GalleryRowView> rows = model.rows().stream().map(row -> views.computeIfAbsent(row, missing -> new GalleryRowView(model, row, large, extras.apply(row)))).toList();
            getChildren().setAll(rows);
        };
        model.rows().addListener((ListChangeListener<GalleryRow>) change -> fill.run());
        fill.run();
    }
}
