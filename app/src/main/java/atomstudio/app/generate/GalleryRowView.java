package atomstudio.app.generate;

import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.gallery.ThumbnailView;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Seed;
import atomstudio.tuning.measure.ClipScores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.value.ObservableValue;
import javafx.collections.ListChangeListener;
import javafx.collections.MapChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ProgressBar;
import javafx.scene.control.Tooltip;
import javafx.scene.image.ImageView;
import javafx.scene.layout.GridPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.TilePane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// A gallery row: title, cost, scores and status on the left, images on the right. A click opens an image large.
final class GalleryRowView extends HBox {
    private static final PseudoClass STALE = PseudoClass.getPseudoClass("stale");
    private static final PseudoClass EMPTY = PseudoClass.getPseudoClass("empty");
    private static final double HEADER_WIDTH = 158;
    private static final double GAP = 8;
    private static final double MAX_SIDE = 172;
    private static final double MIN_SIDE = 40;
    /// Smallest image side when rows are fitted into the window; below it the page scrolls.
    private static final double MIN_FITTED_SIDE = 104;

    private final GenerateViewModel model;
    private final GalleryRow row;
    private final LargeImageViewModel largeImage;
    private final TilePane tiles = new TilePane(GAP, GAP);
    private final List<CellView> cells = new ArrayList<>();
    private double sideLimit = MAX_SIDE;

    GalleryRowView(GenerateViewModel model, GalleryRow row, LargeImageViewModel largeImage,
            Optional<Node> headerExtra) {
        super(12);
        this.model = model;
        this.row = row;
        this.largeImage = largeImage;
        getStyleClass().add("gallery-row");
        setId("row-" + row.run().map(run -> run.folder().getFileName().toString()).orElse("base"));
        VBox header = new VBox(2);
        header.setMinWidth(HEADER_WIDTH);
        header.setMaxWidth(HEADER_WIDTH);
        Label title = new Label(row.title());
        title.getStyleClass().add("row-title");
        title.setWrapText(true);
        header.getChildren().add(title);
        for (String line : row.costLines()) {
            header.getChildren().add(new MutedLabelView(line, "small-text"));
        }
        header.getChildren().add(new NoteView(NoteView.NoteKind.PLAIN, row.adapterLine()));
        header.getChildren().add(new MetricsView(row.metrics()));
        header.getChildren().add(new NoteView(NoteView.NoteKind.PLAIN, row.busy()));
        header.getChildren().add(new NoteView(NoteView.NoteKind.PLAIN, row.metricsStatus()));
        headerExtra.ifPresent(header.getChildren()::add);
        tiles.setPrefTileWidth(MAX_SIDE);
        tiles.setMinWidth(0);
        VBox body = new VBox(6, tiles, new NoteView(NoteView.NoteKind.WARNING, row.warning()));
        HBox.setHgrow(body, Priority.ALWAYS);
        body.setMinWidth(0);
        getChildren().addAll(header, body);
        row.cells().addListener((ListChangeListener<GalleryRow.GalleryCell>) change -> refresh());
        row.previews().addListener((MapChangeListener<String, RgbImage>) change -> showPreview(change.getKey()));
        row.live().subscribe(now -> cells.forEach(CellView::showPreview));
        widthProperty().subscribe(now -> fit());
        refresh();
    }

    private void refresh() {
        List<GalleryRow.GalleryCell> now = row.cells();
        while (cells.size() < now.size()) cells.add(new CellView());
        cells.subList(now.size(), cells.size()).clear();
        for (int i = 0; i < now.size(); i++) cells.get(i).show(now.get(i));
        if (!tiles.getChildren().equals(cells)) tiles.getChildren().setAll(cells);
        fit();
    }

    private void showPreview(String order) {
        for (CellView cell : cells) if (cell.shown != null && cell.shown.order().equals(order)) cell.showPreview();
    }

    /// One image, or its place. A stale image is dimmed.
    private final class CellView extends Button {
        private final ThumbnailView image = new ThumbnailView(model.gallery().thumbnails());
        private final ImageView previewView = new ImageView();
        private final Label state = new Label();
        private final StackPane content = new StackPane(image, previewView, state);
        private GalleryRow.@Nullable GalleryCell shown;

        CellView() {
            getStyleClass().add("image-button");
            content.getStyleClass().add("image-cell");
            previewView.setPreserveRatio(true);
            state.getStyleClass().add("cell-state");
            StackPane.setAlignment(state, Pos.BOTTOM_LEFT);
            setGraphic(content);
            setAlignment(Pos.CENTER);
            setTooltip(new Tooltip());
            setOnAction(pressed -> {
                if (shown != null && shown.image() != null) largeImage.open(shown.image(), row.shownImages());
            });
        }

        void show(GalleryRow.GalleryCell cell) {
            shown = cell;
            image.show(cell.image());
            pseudoClassStateChanged(STALE, cell.isStale());
            pseudoClassStateChanged(EMPTY, cell.image() == null);
            String title = cell.image() == null ? row.title() + ", seed " + Seed.format(cell.seed())
                    : cell.image().title();
            setAccessibleText(title + (cell.isStale() ? ", of other settings" : ""));
            getTooltip().setText(title + (cell.isStale() ? "\nMade with other settings: “" + cell.image().prompt() + "”"
                    : ""));
            state.setText(cell.state() == GalleryRow.CellState.QUEUED ? "queued" : "");
            state.setVisible(!state.getText().isEmpty());
            showPreview();
        }

        void showPreview() {
            GalleryRow.LiveImage live = row.live().get();
            RgbImage preview = shown == null ? null
                    : live != null && live.seed() == shown.seed() ? live.image() : row.previews().get(shown.order());
            previewView.setVisible(preview != null);
            previewView.setImage(preview == null ? null : RoundedImageView.toFxImage(preview));
            if (preview != null) state.setVisible(false);
        }

        void setSide(double side) {
            image.setSide(side);
            previewView.setFitWidth(side);
            previewView.setFitHeight(side);
        }
    }

    /// @param side maximum height of an image, in pixels
    void sideLimit(double side) {
        sideLimit = Math.clamp(side, MIN_FITTED_SIDE, MAX_SIDE);
        fit();
    }

    /// Up to four columns; from five images on, two lines.
    private void fit() {
        int count = Math.max(1, tiles.getChildren().size());
        int columns = count <= 4 ? Math.max(count, 4) : Math.min(count, 8) / 2 + count % 2;
        double available = Math.max(0, getWidth() - HEADER_WIDTH - 12 - 2);
        double side = Math.clamp((available - GAP * (columns - 1)) / columns, MIN_SIDE, sideLimit);
        tiles.setPrefColumns(columns);
        tiles.setPrefTileWidth(side);
        tiles.setPrefTileHeight(side);
        for (CellView cell : cells) cell.setSide(side);
    }

    /// The three scores of a row as bars; takes no space until measured.
    static final class MetricsView extends GridPane {
        private static final double BAR_WIDTH = 54;

        private final Tooltip encoderTooltip = new Tooltip();

        MetricsView(ObservableValue<@Nullable ClipScores> metrics) {
            setHgap(6);
            setVgap(2);
            getStyleClass().add("metrics");
            Tooltip.install(this, encoderTooltip);
            metrics.subscribe(this::show);
        }

        private void show(@Nullable ClipScores metrics) {
            getChildren().clear();
            setVisible(metrics != null);
            setManaged(metrics != null);
            if (metrics == null) return;
            line(0, "Likeness", metrics.likeness());
            line(1, "Diversity", metrics.diversity());
            line(2, "Alignment", metrics.alignment());
            encoderTooltip.setText("Measured with " + metrics.encoder()
                    + ". High likeness with low alignment means the prompt is ignored.");
            setAccessibleText("Likeness " + number(metrics.likeness()) + ", diversity " + number(metrics.diversity())
                    + ", alignment " + number(metrics.alignment()) + ", measured with " + metrics.encoder());
        }

        private void line(int row, String name, OptionalDouble value) {
            ProgressBar bar = new ProgressBar(Math.clamp(value.orElse(0), 0, 1));
            bar.getStyleClass().add("metric-bar");
            bar.setPrefWidth(BAR_WIDTH);
            bar.setMinWidth(BAR_WIDTH);
            bar.setFocusTraversable(false);
            addRow(row, text(name), bar, text(number(value)));
        }

        private static String number(OptionalDouble value) {
            return value.isPresent() ? String.format(Locale.ROOT, "%.2f", value.getAsDouble()) : "–";
        }

        private static Label text(String text) {
            Label label = new Label(text);
            label.getStyleClass().addAll("muted", "small-text");
            label.setMinWidth(Region.USE_PREF_SIZE);
            return label;
        }
    }
}
