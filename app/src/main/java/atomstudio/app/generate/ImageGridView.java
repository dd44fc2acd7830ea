package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.GalleryImageMenuView;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.gallery.ThumbnailView;
import atomstudio.app.gallery.Thumbnails;
import atomstudio.app.generate.ImageSettings.OutputSize;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Seed;
import java.util.ArrayList;
import java.util.List;
import javafx.collections.ListChangeListener;
import javafx.collections.MapChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.Tooltip;
import javafx.scene.image.ImageView;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Pane;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import org.jspecify.annotations.Nullable;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The images of a row as large as they fit, each with its seed and, under the mouse or with the focus, its actions.
final class ImageGridView extends Pane {
    private static final PseudoClass STALE = PseudoClass.getPseudoClass("stale");
    private static final PseudoClass EMPTY = PseudoClass.getPseudoClass("empty");
    private static final PseudoClass STARRED = PseudoClass.getPseudoClass("starred");
    private static final double GAP = 10;

    private final GenerateViewModel model;
    private final GalleryRow row;
    private final LargeImageViewModel largeImage;
    private final List<CellView> cells = new ArrayList<>();

    ImageGridView(GenerateViewModel model, GalleryRow row, LargeImageViewModel largeImage) {
        this.model = model;
        this.row = row;
        this.largeImage = largeImage;
        setMinSize(0, 0);
        row.cells().addListener((ListChangeListener<GalleryRow.GalleryCell>) change -> refresh());
        row.previews()
                .addListener((MapChangeListener<String, RgbImage>) change -> cells.forEach(CellView::showPreview));
        row.live().subscribe(now -> cells.forEach(CellView::showPreview));
        model.gallery().starred().subscribe(now -> cells.forEach(CellView::showStar));
        model.settings().map(ImageSettings::size).subscribe(now -> requestLayout());
        refresh();
    }

    private void refresh() {
        List<GalleryRow.GalleryCell> now = row.cells();
        while (cells.size() < now.size()) cells.add(new CellView());
        cells.subList(now.size(), cells.size()).clear();
        for (int i = 0; i < now.size(); i++) cells.get(i).show(now.get(i));
        if (!getChildren().equals(cells)) getChildren().setAll(cells);
        requestLayout();
    }

    /// Cell sides and number of columns.
    record GridShape(int columns, double width, double height) {
        /// The number of columns with the largest cells.
        static GridShape of(int count, OutputSize size, double width, double height) {
            GridShape best = new GridShape(1, 0, 0);
            for (int columns = 1; columns <= Math.max(1, count); columns++) {
                int lines = Math.ceilDiv(Math.max(1, count), columns);
                double scale = Math.min((width - GAP * (columns - 1)) / columns / size.width(),
                        (height - GAP * (lines - 1)) / lines / size.height());
                if (scale * size.width() > best.width)
                    best = new GridShape(columns, scale * size.width(), scale * size.height());
            }
            return best;
        }
    }

    @Override
    protected void layoutChildren() {
        GridShape shape = GridShape.of(cells.size(), model.settings().get().size(), getWidth(), getHeight());
        int lines = Math.ceilDiv(Math.max(1, cells.size()), shape.columns);
        double left = (getWidth() - shape.columns * shape.width - (shape.columns - 1) * GAP) / 2;
        double top = Math.max(0, (getHeight() - lines * shape.height - (lines - 1) * GAP) / 2);
        for (int i = 0; i < cells.size(); i++) {
            CellView cell = cells.get(i);
            cell.setSides(shape.width, shape.height);
            cell.resizeRelocate(Math.floor(left + i % shape.columns * (shape.width + GAP)),
                    Math.floor(top + i / shape.columns * (shape.height + GAP)), Math.floor(shape.width),
                    Math.floor(shape.height));
        }
    }

    /// One image, or its place. A stale image is dimmed.
    private final class CellView extends StackPane {
        private final ThumbnailView thumbnail = new ThumbnailView(model.gallery().thumbnails());
        private final ImageView fullView = new ImageView();
        private final ImageView previewView = new ImageView();
        private final Label caption = new Label();
        private final Button image = new Button();
        private final Button star;
        private final HBox actions;
        private @Nullable GalleryImage full;
        private GalleryRow.@Nullable GalleryCell shown;

        CellView() {
            getStyleClass().add("canvas-cell");
            StackPane content = new StackPane(thumbnail, fullView, previewView);
            content.getStyleClass().add("image-cell");
            fullView.getStyleClass().add("full-image");
            fullView.setPreserveRatio(true);
            previewView.setPreserveRatio(true);
            image.getStyleClass().add("image-button");
            image.setGraphic(content);
            image.setMaxSize(Double.MAX_VALUE, Double.MAX_VALUE);
            image.setTooltip(new Tooltip());
            image.setOnAction(pressed -> enlarge());
            star = action(Feather.STAR, text("generate.cell.star"), this::toggleStar);
            MenuButton menu = new MenuButton("", new FontIcon(Feather.MORE_HORIZONTAL));
            menu.getStyleClass().addAll("small", "no-arrow");
            menu.setAccessibleText(text("generate.cell.menu"));
            menu.setTooltip(new Tooltip(text("generate.cell.menu")));
            menu.setOnShowing(showing -> {
                if (shown != null && shown.image() != null)
                    menu.getItems().setAll(GalleryImageMenuView.items(largeImage, shown.image()));
            });
            menu.getItems().setAll(new MenuItem());
            actions = new HBox(4, star, action(Feather.MAXIMIZE_2, text("generate.cell.enlarge"), this::enlarge),
                    action(Feather.CORNER_UP_LEFT, text("generate.cell.source"), this::useAsSource), menu);
            actions.getStyleClass().add("cell-actions");
            actions.setMaxSize(Region.USE_PREF_SIZE, Region.USE_PREF_SIZE);
            caption.getStyleClass().add("cell-caption");
            caption.setMouseTransparent(true);
            setAlignment(caption, Pos.BOTTOM_LEFT);
            setAlignment(actions, Pos.BOTTOM_RIGHT);
            getChildren().addAll(image, caption, actions);
            hoverProperty().subscribe(now -> showActions());
            focusWithinProperty().subscribe(now -> showActions());
        }

        private static Button action(Feather icon, String name, Runnable run) {
            Button button = new ActionButtonView("", run, "small");
            button.setGraphic(new FontIcon(icon));
            button.setAccessibleText(name);
            button.setTooltip(new Tooltip(name));
            return button;
        }

        private void showActions() {
            boolean hasImage = shown != null && shown.image() != null;
            actions.setVisible(hasImage && (isHover() || isFocusWithin()));
        }

        private void enlarge() {
            if (shown != null && shown.image() != null) largeImage.open(shown.image(), row.shownImages());
        }

        private void toggleStar() {
            if (shown != null && shown.image() != null) model.gallery().toggleStar(shown.image());
        }

        private void useAsSource() {
            if (shown != null && shown.image() != null) model.source().setImage(shown.image());
        }

        void show(GalleryRow.GalleryCell cell) {
            shown = cell;
            GalleryImage now = cell.image();
            thumbnail.show(now);
            if (now == null || !now.equals(full)) fullView.setImage(null);
            full = null;
            image.pseudoClassStateChanged(STALE, cell.isStale());
            image.pseudoClassStateChanged(EMPTY, now == null);
            String title = now == null ? text("generate.seed-3", row.title(), Seed.format(cell.seed())) : now.title();
            image.setAccessibleText(title + (cell.isStale() ? ", " + text("generate.cell.stale") : ""));
            image.getTooltip()
                    .setText(now == null ? title
                            : cell.isStale() ? title + "\n" + text("generate.cell.stale.prompt", now.prompt()) : title);
            showPreview();
            showStar();
            showActions();
        }

        void showPreview() {
            GalleryRow.LiveImage live = row.live().get();
            boolean isLive = shown != null && live != null && live.seed() == shown.seed();
            RgbImage preview = shown == null ? null : isLive ? live.image() : row.previews().get(shown.order());
            previewView.setVisible(preview != null);
            previewView.setImage(preview == null ? null : RoundedImageView.toFxImage(preview));
            if (shown == null) return;
            String seed = text("generate.cell.seed", Seed.format(shown.seed()));
            caption.setText(isLive ? text("generate.cell.live", seed)
                    : preview == null && shown.state() == GalleryRow.CellState.QUEUED
                            ? text("generate.cell.queued", seed)
                    : seed);
        }

        void showStar() {
            boolean isStarred = shown != null && shown.image() != null && model.gallery().isStarred(shown.image());
            star.pseudoClassStateChanged(STARRED, isStarred);
            star.setAccessibleText(isStarred ? text("generate.cell.unstar") : text("generate.cell.star"));
        }

        /// A thumbnail that would be enlarged is replaced by the image itself.
        void setSides(double width, double height) {
            thumbnail.setPrefSize(width, height);
            thumbnail.setMaxSize(width, height);
            for (ImageView view : List.of(fullView, previewView)) {
                view.setFitWidth(width);
                view.setFitHeight(height);
            }
            GalleryImage now = shown == null ? null : shown.image();
            if (now == null || now.equals(full) || Math.max(width, height) <= Thumbnails.SIDE) return;
            full = now;
            model.readImage(now, pixels -> {
                if (now.equals(full)) fullView.setImage(RoundedImageView.toFxImage(pixels));
            });
        }
    }
}
