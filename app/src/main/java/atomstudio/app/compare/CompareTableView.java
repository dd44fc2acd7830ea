package atomstudio.app.compare;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.compare.CompareTable.TableLine;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.ImageTags;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javafx.collections.MapChangeListener;
import javafx.geometry.Bounds;
import javafx.geometry.Rectangle2D;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.Pane;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// The images of a comparison in rows and columns, below the person's photos. Titles of rows and columns stay in sight;
/// only the images in sight are decoded.
final class CompareTableView extends ScrollPane {
    private static final double HEADER_WIDTH = 190;
    /// Of the seeds; prompts are a second line.
    private static final double COLUMN_HEADER_HEIGHT = 26;
    private static final double TITLED_COLUMN_HEADER_HEIGHT = 42;
    private static final double GAP = 8;

    private final CompareViewModel comparison;
    private final LargeImageViewModel largeImage;
    private final GridView grid = new GridView();
    private final List<CompareCellView> photos = new ArrayList<>();
    private final List<List<CompareCellView>> cells = new ArrayList<>();
    private final List<Region> rowHeaders = new ArrayList<>();
    private final List<Region> columnHeaders = new ArrayList<>();
    private final Region corner = new Region();
    private @Nullable CompareTable built;

    CompareTableView(CompareViewModel comparison, LargeImageViewModel largeImage) {
        this.comparison = comparison;
        this.largeImage = largeImage;
        setId("compare-table");
        getStyleClass().addAll("edge-to-edge", "compare-table");
        setContent(grid);
        setPannable(false);
        corner.getStyleClass().add("table-header");
        comparison.cells().subscribe(this::show);
        comparison.subject().subscribe(now -> rebuild());
        comparison.side().subscribe(now -> grid.requestLayout());
        comparison.progress().previews().addListener((MapChangeListener<String, RgbImage>) change -> {
            for (List<CompareCellView> row : cells) for (CompareCellView cell : row) cell.showPreview(change.getKey());
        });
        hvalueProperty().subscribe(now -> grid.requestLayout());
        vvalueProperty().subscribe(now -> grid.requestLayout());
        viewportBoundsProperty().subscribe(now -> grid.requestLayout());
    }

    private void show(@Nullable CompareCells now) {
        if (now == null) return;
        if (!now.table().equals(built)) {
            built = now.table();
            rebuild();
        }
        for (int row = 0; row < cells.size(); row++)
            for (int column = 0; column < cells.get(row).size(); column++)
                cells.get(row).get(column).show(now.rows().get(row).get(column));
        grid.requestLayout();
    }

    private void rebuild() {
        CompareTable table = built;
        if (table == null) return;
        resizeCells(table.rows().size(), table.columns().size());
        rowHeaders.clear();
        columnHeaders.clear();
        if (!table.isGrid()) rowHeaders.add(photosHeader());
        for (int row = 0; row < table.rows().size(); row++) rowHeaders.add(rowHeader(table, row));
        for (TableLine column : table.columns()) columnHeaders.add(columnHeader(column));
        showPhotos(table.isGrid() ? 0 : table.columns().size());
        List<Node> children = new ArrayList<>(photos);
        cells.forEach(children::addAll);
        children.addAll(columnHeaders);
        children.addAll(rowHeaders);
        children.add(corner);
        if (!grid.getChildren().equals(children)) replaceChildren(children);
    }

    /// The field of a row keeps the focus when its row changes.
    private void replaceChildren(List<Node> children) {
        Node focused = getScene() == null ? null : getScene().getFocusOwner();
        String id = focused == null || focused.getId() == null ? "" : focused.getId();
        grid.getChildren().setAll(children);
        if (id.startsWith(CompareRowHeaderView.FIELD))
            Optional.ofNullable(grid.lookup("#" + id)).ifPresent(Node::requestFocus);
    }

    /// Cells are kept: they hold the images that are shown.
    private void resizeCells(int rowCount, int columnCount) {
        while (cells.size() > rowCount) cells.removeLast();
        while (cells.size() < rowCount) cells.add(new ArrayList<>());
        for (int row = 0; row < rowCount; row++) {
            List<CompareCellView> line = cells.get(row);
            while (line.size() > columnCount) line.removeLast();
            while (line.size() < columnCount) line.add(newCell(row));
        }
    }

    private CompareCellView newCell(int row) {
        return new CompareCellView(comparison, image -> {
            CompareCells now = comparison.cells().get();
            if (now != null) largeImage.open(image, now.images(row));
        });
    }

    private void showPhotos(int count) {
        List<GalleryImage> images = comparison.subject().get().photos().stream().map(CompareTableView::photo).toList();
        photos.clear();
        for (GalleryImage image : images.subList(0, Math.min(count, images.size()))) {
            CompareCellView cell = new CompareCellView(comparison, opened -> largeImage.open(opened, images));
            cell.showPhoto(image);
            photos.add(cell);
        }
    }

    /// A photo as an image of unknown origin.
    private static GalleryImage photo(Path file) {
        return new GalleryImage(file, Instant.EPOCH, ImageTags.NONE, Infotext.parse(""), Optional.empty());
    }

    private Region photosHeader() {
        Label title = new Label(text("compare.photos"));
        title.getStyleClass().add("row-title");
        VBox header = new VBox(2, title, new MutedLabelView(
                count("compare.photos.count", comparison.subject().get().photos().size()), "small-text"));
        header.getStyleClass().add("table-header");
        return header;
    }

    private Region rowHeader(CompareTable table, int row) {
        if (table.isGrid()) return lineHeader(table.rows().get(row));
        CompareRow shown = comparison.rows().get(row);
        return new CompareRowHeaderView(comparison, shown, row, table.cell(row, 0));
    }

    private static Region lineHeader(TableLine line) {
        Label title = new Label(line.title());
        title.getStyleClass().add("row-title");
        title.setWrapText(true);
        VBox header = new VBox(title);
        header.getStyleClass().add("table-header");
        return header;
    }

    private static Region columnHeader(TableLine column) {
        VBox header = new VBox(1);
        header.getStyleClass().addAll("table-header", "column-header");
        if (!column.title().isEmpty()) header.getChildren().add(new Label(column.title()));
        if (!column.detail().isEmpty()) header.getChildren().add(new MutedLabelView(column.detail(), "small-text"));
        return header;
    }

    /// Lays the cells out and moves the titles along with the scroll position.
    private final class GridView extends Pane {
        /// The chosen side; larger, if all images fit into the window at that side.
        private double side() {
            Bounds viewport = getViewportBounds();
            double wide = (viewport.getWidth() - HEADER_WIDTH) / Math.max(1, columnHeaders.size()) - GAP;
            double high = (viewport.getHeight() - columnHeaderHeight()) / Math.max(1, lineCount()) - GAP;
            double fitting = Math.min(Math.floor(Math.min(wide, high)), CompareViewModel.MAX_SIDE);
            return Math.max(comparison.side().get(), fitting);
        }

        private double columnHeaderHeight() {
            boolean isTitled = built != null && built.columns().stream().anyMatch(one -> !one.title().isEmpty());
            return isTitled ? TITLED_COLUMN_HEADER_HEIGHT : COLUMN_HEADER_HEIGHT;
        }

        private int lineCount() {
            return cells.size() + (rowHeaders.size() > cells.size() ? 1 : 0);
        }

        @Override
        protected double computePrefWidth(double height) {
            return HEADER_WIDTH + columnHeaders.size() * (side() + GAP);
        }

        @Override
        protected double computePrefHeight(double width) {
            return columnHeaderHeight() + lineCount() * (side() + GAP);
        }

        private double x(int column) {
            return HEADER_WIDTH + column * (side() + GAP);
        }

        private double y(int line) {
            return columnHeaderHeight() + line * (side() + GAP);
        }

        @Override
        protected void layoutChildren() {
            Bounds viewport = getViewportBounds();
            double left = getHvalue() * Math.max(0, prefWidth(-1) - viewport.getWidth());
            double top = getVvalue() * Math.max(0, prefHeight(-1) - viewport.getHeight());
            Rectangle2D seen = new Rectangle2D(left, top, Math.max(1, viewport.getWidth()),
                    Math.max(1, viewport.getHeight()));
            corner.resizeRelocate(left, top, HEADER_WIDTH, columnHeaderHeight());
            for (int column = 0; column < columnHeaders.size(); column++)
                columnHeaders.get(column).resizeRelocate(x(column), top, side(), columnHeaderHeight());
            for (int line = 0; line < rowHeaders.size(); line++)
                rowHeaders.get(line).resizeRelocate(left, y(line), HEADER_WIDTH, side() + GAP);
            int first = lineCount() - cells.size();
            layoutLine(photos, 0, seen);
            for (int row = 0; row < cells.size(); row++) layoutLine(cells.get(row), first + row, seen);
        }

        private void layoutLine(List<CompareCellView> line, int index, Rectangle2D seen) {
            for (int column = 0; column < line.size(); column++) {
                CompareCellView cell = line.get(column);
                cell.resizeRelocate(x(column), y(index), side(), side());
                cell.setInSight(seen.intersects(x(column), y(index), side(), side()));
            }
        }
    }
}
