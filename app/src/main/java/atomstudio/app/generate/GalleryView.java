package atomstudio.app.generate;

import atomstudio.app.controls.NoteView;
import atomstudio.app.gallery.LargeImageViewModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import javafx.collections.ListChangeListener;
import javafx.scene.Node;
import javafx.scene.layout.VBox;

/// The gallery: one line per row, one column per seed.
public final class GalleryView extends VBox {
    /// Height of a row besides its images, in pixels.
    private static final double ROW_MARGIN = 24;

    private final GenerateViewModel model;
    private final Map<GalleryRow, GalleryRowView> views = new HashMap<>();
    private double availableHeight = Double.MAX_VALUE;

    /// @param headerExtras additional control in a row's header, such as its export button
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
            getChildren().addFirst(metricsNote);
            fit();
        };
        model.rows().addListener((ListChangeListener<GalleryRow>) change -> refresh.run());
        refresh.run();
    }

    /// Shrinks the images, down to a minimum, so that all rows fit into a height.
    public void fitInto(double height) {
        availableHeight = height;
        fit();
    }

    private void fit() {
        double rowHeight = Math.floor(availableHeight / Math.max(1, model.rows().size()) - ROW_MARGIN);
        views.values().forEach(row -> row.sideLimit(rowHeight));
    }
}
