package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.NoteView;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.scene.control.Label;
import javafx.scene.control.ListCell;
import javafx.scene.control.ListView;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// All images on a page of their own: a list of lines, of which only the visible ones have nodes. Built once.
public final class GalleryGridView extends VBox {
    private static final double SIDE = 176;
    private static final double GAP = 10;
    private static final double SEARCH_WIDTH = 240;

    private final LargeImageViewModel model;
    private final ObservableList<Integer> lines = FXCollections.observableArrayList();
    private final ListView<Integer> list = new ListView<>(lines);
    private int columns = 1;

    public GalleryGridView(LargeImageViewModel model) {
        super(10);
        this.model = model;
        getStyleClass().addAll("plain-page", "gallery-grid");
        Label title = new Label(text("gallery.gallery"));
        title.getStyleClass().add("page-title");
        list.setId("gallery-grid");
        list.setFixedCellSize(SIDE + GAP);
        list.setCellFactory(view -> new LineCell());
        list.setFocusTraversable(false);
        VBox.setVgrow(list, Priority.ALWAYS);
        getChildren().addAll(title, new GalleryFilterView(model.gallery(), SEARCH_WIDTH),
                new NoteView(NoteView.NoteKind.WARNING, model.gallery().problem()), list);
        model.gallery().shown().addListener((ListChangeListener<GalleryImage>) change -> refresh());
        model.gallery().starred().subscribe(now -> list.refresh());
        list.widthProperty().subscribe(width -> {
            columns = Math.max(1, (int) ((width.doubleValue() - 24) / (SIDE + GAP)));
            refresh();
        });
    }

    private void refresh() {
        int count = (model.gallery().shown().size() + columns - 1) / columns;
        if (count < lines.size()) lines.remove(count, lines.size());
        else lines.addAll(IntStream.range(lines.size(), count).boxed().toList());
        list.refresh();
    }

    private final class LineCell extends ListCell<Integer> {
        private final HBox line = new HBox(GAP);
        private final List<GalleryTileView> tiles = new ArrayList<>();

        @Override
        protected void updateItem(@Nullable Integer index, boolean empty) {
            super.updateItem(index, empty);
            List<GalleryImage> images = model.gallery().shown();
            int first = index == null || empty ? images.size() : index * columns;
            while (tiles.size() < columns) tiles.add(new GalleryTileView(model, SIDE));
            for (int i = 0; i < tiles.size(); i++)
                tiles.get(i).show(i < columns && first + i < images.size() ? images.get(first + i) : null);
            line.getChildren().setAll(tiles.subList(0, columns));
            setGraphic(empty ? null : line);
        }
    }
}
