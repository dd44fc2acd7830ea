package atomstudio.app.generate;

import atomstudio.app.controls.NoteView;
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
    private static final double ROW_MARGIN = 24;

    private final GenerateViewModel model;
    private final Map<GalleryRow, GalleryRowView> views = new HashMap<>();
    private double availableHeight = Double.MAX_VALUE;

    /// @param headerExtras what else stands in a row's head, such as its export button
    public GalleryView(GenerateViewModel model, LargeImageViewModel largeImage,
            Function<GalleryRow, Optional<Node>> headerExtras) {
        this.model = model;
        getStyleClass().add("gallery");
        NoteView metricsNote = new NoteView(NoteView.NoteKind.PLAIN, model.metrics().note());
        metricsNote.setId("measured-by");
        Runnable refresh = () -> {
            views.keySet().retainAll(model.rows());
            List<GalleryRowView> rows = model.rows()
                    .stream()
                    .map(row -> views.computeIfAbsent(row,
                            missing -> new GalleryRowView(model, row, largeImage, headerExtras.apply(row))))
                    .toList();
            getChildren().setAll(rows);
            // Above the rows, where it is seen with their numbers.
            getChildren().addFirst(metricsNote);
            fit();
        };
        model.rows().addListener((ListChangeListener<GalleryRow>) change -> refresh.run());
        refresh.run();
    }

    /// How high all rows together should be, if the pictures do not become too small by that.
    public void fitInto(double height) {
        availableHeight = height;
        fit();
    }

    private void fit() {
        double rowHeight = Math.floor(availableHeight / Math.max(1, model.rows().size()) - ROW_MARGIN);
        views.values().forEach(row -> row.sideLimit(rowHeight));
    }
}
