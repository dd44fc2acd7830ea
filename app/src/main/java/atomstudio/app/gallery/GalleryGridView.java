package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.TileGridView;
import java.util.List;
import javafx.scene.control.Label;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// All images on a page of their own. Built once.
public final class GalleryGridView extends VBox {
    private static final double SIDE = 176;
    private static final double GAP = 10;
    private static final double SEARCH_WIDTH = 240;

    public GalleryGridView(LargeImageViewModel model) {
        super(10);
        getStyleClass().addAll("plain-page", "gallery-grid");
        Label title = new Label(text("gallery.gallery"));
        title.getStyleClass().add("page-title");
        TileGridView<GalleryImage> grid = new TileGridView<>(model.gallery().shown(),
                new TileGridView.TileSize(SIDE, SIDE, GAP), () -> new GalleryTileView(model));
        grid.setId("gallery-grid");
        grid.navigate((key, image) -> {
            switch (key.getCode()) {
                case ENTER, SPACE -> model.open(image);
                case DELETE -> model.gallery().delete(List.of(image));
                case S -> model.gallery().toggleStar(image);
                default -> {
                    return false;
                }
            }
            return true;
        });
        VBox.setVgrow(grid, Priority.ALWAYS);
        getChildren().addAll(title, new GalleryFilterView(model.gallery(), SEARCH_WIDTH),
                new NoteView(NoteView.NoteKind.WARNING, model.gallery().problem()), grid);
        model.gallery().starred().subscribe(now -> grid.refresh());
    }
}
