package atomstudio.app.controls;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import javafx.application.Platform;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.css.PseudoClass;
import javafx.geometry.Insets;
import javafx.scene.Node;
import javafx.scene.control.ListCell;
import javafx.scene.control.ListView;
import javafx.scene.control.skin.VirtualFlow;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// Items as tiles in lines that fill the width, of which only the visible ones have nodes; a tile is reused for one
/// item after the other. The scroll bar lies in the margin at the right.
public final class TileGridView<T> extends ListView<Integer> {
    private static final PseudoClass CURRENT = PseudoClass.getPseudoClass("current");
    private static final double MAX_GROWTH = 2;

    private final ObservableList<T> shown;
    private final Supplier<Tile<T>> newTile;
    private TileSize size;
    private int columns = 1;
    private double tileWidth;
    /// -1 before a key was pressed.
    private int current = -1;

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
        VBox.setMargin(this, new Insets(0, -FocusScrollView.BAR_SPACE, 0, 0));
        shown.addListener((ListChangeListener<T>) change -> update());
        // After the layout that changes the width: within it, another height of the lines would be lost.
        widthProperty().subscribe(width -> Platform.runLater(this::update));
    }

    public void setTileSize(TileSize changed) {
        if (changed.equals(size)) return;
        size = changed;
        update();
    }

    /// Makes the tiles reachable by keyboard: the arrow keys move over them while the grid has the focus.
    /// @param onKey gets other keys for the current tile's item, and returns whether it used them
    public void navigate(BiPredicate<KeyEvent, T> onKey) {
        setFocusTraversable(true);
        focusedProperty().subscribe(now -> refresh());
        addEventFilter(KeyEvent.KEY_PRESSED, key -> {
            int next = moved(key.getCode());
            boolean used = next >= 0 ? move(next)
                    : current >= 0 && current < shown.size() && onKey.test(key, shown.get(current));
            if (used) key.consume();
        });
    }

    /// The tile that a key leads to; -1 for other keys.
    private int moved(KeyCode key) {
        return switch (key) {
            case LEFT -> Math.max(current - 1, 0);
            case RIGHT -> current + 1;
            case UP -> Math.max(current - columns, 0);
            case DOWN -> current < 0 ? 0 : current + columns;
            case HOME -> 0;
            case END -> shown.size() - 1;
            default -> -1;
        };
    }

    private boolean move(int index) {
        current = Math.clamp(index, 0, Math.max(0, shown.size() - 1));
        refresh();
        if (lookup(".virtual-flow") instanceof VirtualFlow<?> flow) flow.scrollTo(current / columns);
        return true;
    }

    private void update() {
        double available = getWidth() - FocusScrollView.BAR_SPACE + size.gap;
        // A few tiles share the line among them.
        columns = Math.clamp((int) (available / (size.width + size.gap)), 1, Math.max(1, shown.size()));
        tileWidth = Math.clamp(Math.floor(available / columns) - size.gap, size.width, MAX_GROWTH * size.width);
        setFixedCellSize(size.height + tileWidth - size.width + size.gap);
        current = Math.min(current, shown.size() - 1);
        int count = (shown.size() + columns - 1) / columns;
        if (count < getItems().size()) getItems().remove(count, getItems().size());
        else getItems().addAll(IntStream.range(getItems().size(), count).boxed().toList());
        refresh();
    }

    private final class LineCell extends ListCell<Integer> {
        private final HBox line = new HBox(size.gap);
        private final List<Tile<T>> tiles = new ArrayList<>();

        /// Never a reason for a horizontal scroll bar.
        @Override
        protected double computePrefWidth(double height) {
            return 0;
        }

        @Override
        protected void updateItem(@Nullable Integer index, boolean empty) {
            super.updateItem(index, empty);
            int first = index == null || empty ? shown.size() : index * columns;
            while (tiles.size() < columns) tiles.add(newTile.get());
            for (int i = 0; i < tiles.size(); i++) {
                tiles.get(i)
                        .show(i < columns && first + i < shown.size() ? shown.get(first + i) : null, tileWidth);
                boolean isCurrent = TileGridView.this.isFocused() && i < columns && first + i == current;
                tiles.get(i).node().pseudoClassStateChanged(CURRENT, isCurrent);
                if (isCurrent) TileGridView.this.setAccessibleText(tiles.get(i).node().getAccessibleText());
            }
            line.getChildren().setAll(tiles.subList(0, columns).stream().map(Tile::node).toList());
            setGraphic(empty ? null : line);
        }
    }
}
