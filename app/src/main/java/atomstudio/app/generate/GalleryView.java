package atomstudio.app.generate;

import atomstudio.app.parts.NoteView;
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
    /// What a row needs beside its pictures.
    private static final double AROUND = 24;

    private final GenerateViewModel model;
    private final Map<GalleryRow, GalleryRowView> views = new HashMap<>();
    private double room = Double.MAX_VALUE;

    /// @param extras what else stands in a row's head, such as its export button
    public GalleryView(GenerateViewModel model, LargePictureViewModel large, Function<GalleryRow, Optional<Node>> extras) {
        this.model = model;
        getStyleClass().add("gallery");
        NoteView by = new NoteView(NoteView.Kind.PLAIN, model.measures().line());
        by.setId("measured-by");
        Runnable fill = () -> {
            views.keySet().retainAll(model.rows());
            List<GalleryRowView> rows = model.rows().stream().map(row -> views.computeIfAbsent(row, missing -> new GalleryRowView(model, row, large, extras.apply(row)))).toList();
            getChildren().setAll(rows);
            // Above the rows, where it is seen with their numbers.
            getChildren().addFirst(by);
            fit();
        };
        model.rows().addListener((ListChangeListener<GalleryRow>) change -> fill.run());
        fill.run();
    }

    /// How high all rows together should be, if the pictures do not become too small by that.
    public void fitInto(double height) {
        room = height;
        fit();
    }

    private void fit() {
        double each = Math.floor(room / Math.max(1, model.rows().size()) - AROUND);
        views.values().forEach(row -> row.limit(each));
    }
}
