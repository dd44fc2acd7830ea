package atomstudio.app.controls;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.scene.Node;
import javafx.scene.control.ListCell;
import javafx.scene.control.ListView;
import javafx.scene.layout.HBox;
import org.jspecify.annotations.Nullable;

/// Items as tiles in lines that fill the width, of which only the visible ones have nodes; a tile is reused for one item
/// after the other.
public final class TileGridView<T> extends ListView<Integer> {
    private static final double SCROLL_BAR = 20;

    private final ObservableList<T> shown;
    private final Supplier<Tile<T>> newTile;
    private final TileSize size;
    private int columns = 1;
    private double tileWidth;

    /// Shows an item in a node of its own.
    public interface Tile<T> {
        Node node();

        /// @param item  null: nothing
        /// @param width of the tile; its height grows by as much
        void show(@Nullable T item, double width);
    }

    /// The smallest size of a tile.
    /// @param gap between two tiles, in pixels
    public record TileSize(double width, double height, double gap) {}

    public TileGridView(ObservableList<T> shown, TileSize size, Supplier<Tile<T>> newTile) {
        super(FXCollections.observableArrayList());
        this.shown = shown;
        this.size = size;
        this.newTile = newTile;
        getStyleClass().add("tile-grid");
        tileWidth = size.width;
        setFixedCellSize(size.height + size.gap);
        setCellFactory(view -> new LineCell());
        setFocusTraversable(false);
        shown.addListener((ListChangeListener<T>) change -> update());
        widthProperty().subscribe(width -> {
            double available = width.doubleValue() - SCROLL_BAR + size.gap;
            columns = Math.max(1, (int) (available / (size.width + size.gap)));
            tileWidth = Math.max(size.width, Math.floor(available / columns) - size.gap);
            setFixedCellSize(size.height + tileWidth - size.width + size.gap);
            update();
        });
    }

    private void update() {
        int count = (shown.size() + columns - 1) / columns;
        if (count < getItems().size()) getItems().remove(count, getItems().size());
        else getItems().addAll(IntStream.range(getItems().size(), count).boxed().toList());
        refresh();
    }

    private final class LineCell extends ListCell<Integer> {
        private final HBox line = new HBox(size.gap);
        private final List<Tile<T>> tiles = new ArrayList<>();

        @Override
        protected void updateItem(@Nullable Integer index, boolean empty) {
            super.updateItem(index, empty);
            int first = index == null || empty ? shown.size() : index * columns;
            while (tiles.size() < columns) tiles.add(newTile.get());
            for (int i = 0; i < tiles.size(); i++)
                tiles.get(i)
                        .show(i < columns && first + i < shown.size() ? shown.get(first + i) : null, tileWidth);
            line.getChildren().setAll(tiles.subList(0, columns).stream().map(Tile::node).toList());
            setGraphic(empty ? null : line);
        }
    }
}
