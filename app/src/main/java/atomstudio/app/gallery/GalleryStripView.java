package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import java.util.List;
import javafx.scene.control.Label;
import javafx.scene.control.ListCell;
import javafx.scene.control.ListView;
import javafx.scene.control.SelectionMode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// All images, newest first, along the window's edge. Only the visible ones have nodes and thumbnails. Built once.
public final class GalleryStripView extends VBox {
    private static final double WIDTH = 160;
    private static final double SIDE = 116;

    private final LargeImageViewModel model;
    private final ListView<GalleryImage> list = new ListView<>();

    public GalleryStripView(LargeImageViewModel model) {
        super(6);
        this.model = model;
        setId("gallery-strip");
        getStyleClass().add("gallery-strip");
        setMinWidth(WIDTH);
        setPrefWidth(WIDTH);
        setMaxWidth(WIDTH);
        list.setItems(model.gallery().shown());
        list.setFixedCellSize(SIDE + 8);
        list.setCellFactory(view -> new ImageCell());
        list.getSelectionModel().setSelectionMode(SelectionMode.MULTIPLE);
        list.setPlaceholder(placeholder());
        list.setAccessibleText(text("gallery.all-images"));
        list.addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
        model.gallery().starred().subscribe(now -> list.lookupAll(".gallery-tile").forEach(node -> {
            if (node instanceof GalleryTileView tile) tile.showStar();
        }));
        // A click that moves a little is no drop of the image's settings.
        setOnDragOver(drag -> {
            if (drag.getGestureSource() instanceof GalleryTileView) drag.consume();
        });
        VBox.setVgrow(list, Priority.ALWAYS);
        getChildren().addAll(new GalleryFilterView(model.gallery(), SIDE + 20), list);
    }

    private static Label placeholder() {
        Label label = new Label(text("gallery.every-image-that-you-generate-is"));
        label.getStyleClass().addAll("muted", "small-text");
        label.setWrapText(true);
        return label;
    }

    private void onKey(KeyEvent key) {
        List<GalleryImage> selected = List.copyOf(list.getSelectionModel().getSelectedItems());
        if (selected.isEmpty()) return;
        switch (key.getCode()) {
            case ENTER -> model.open(selected.getFirst());
            case DELETE -> model.gallery().delete(selected);
            case S -> selected.forEach(model.gallery()::toggleStar);
            default -> {
                return;
            }
        }
        key.consume();
    }

    private final class ImageCell extends ListCell<GalleryImage> {
        private final GalleryTileView tile = new GalleryTileView(model);

        @Override
        protected void updateItem(@Nullable GalleryImage image, boolean empty) {
            super.updateItem(image, empty);
            tile.show(empty ? null : image, SIDE);
            setGraphic(empty ? null : tile);
        }
    }
}
