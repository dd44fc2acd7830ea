package atomstudio.app.generate;

import atomstudio.app.parts.NoteView;
import atomstudio.app.parts.PictureView;
import atomstudio.diffusion.sample.Seed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javafx.collections.ListChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.image.Image;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.TilePane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;

/// A row: what it is and costs on the left, its pictures and what is to be known of them on the right. A click opens a picture large.
public final class GalleryRowView extends HBox {
    private static final PseudoClass CURRENT = PseudoClass.getPseudoClass("current");
    private static final PseudoClass STALE = PseudoClass.getPseudoClass("stale");
    private static final double HEAD = 158;
    private static final double GAP = 8;
    private static final double MOST = 172;
    private static final double LEAST = 40;
    /// Rows are not squeezed below this to fit into the window; the page scrolls instead.
    private static final double SQUEEZED = 104;

    private final GenerateViewModel model;
    private final GalleryRow row;
    private final LargePictureViewModel large;
    private final TilePane tiles = new TilePane(GAP, GAP);
    private final List<PictureView> pictures = new ArrayList<>();
    private double limit = MOST;

    GalleryRowView(GenerateViewModel model, GalleryRow row, LargePictureViewModel large, Optional<Node> extra) {
        super(12);
        this.model = model;
        this.row = row;
        this.large = large;
        getStyleClass().add("gallery-row");
        setId("row-" + row.run().map(run -> run.folder().getFileName().toString()).orElse("base"));
        VBox head = new VBox(2);
        head.setMinWidth(HEAD);
        head.setMaxWidth(HEAD);
        Label title = new Label(row.title());
        title.getStyleClass().add("row-title");
        title.setWrapText(true);
        head.getChildren().add(title);
        for (String line : row.price()) {
            Label price = new Label(line);
            price.getStyleClass().addAll("muted", "small-text");
            price.setWrapText(true);
            head.getChildren().add(price);
        }
        head.getChildren().add(new NoteView(NoteView.Kind.PLAIN, row.wearing()));
        head.getChildren().add(new MeasuresView(row.measures()));
        head.getChildren().add(new NoteView(NoteView.Kind.PLAIN, row.busy()));
        head.getChildren().add(new NoteView(NoteView.Kind.PLAIN, row.measuring()));
        extra.ifPresent(head.getChildren()::add);
        tiles.setPrefTileWidth(MOST);
        tiles.setMinWidth(0);
        // Sentences want more room than the head has.
        VBox body = new VBox(6, tiles, new NoteView(NoteView.Kind.WARNING, row.warning()));
        HBox.setHgrow(body, Priority.ALWAYS);
        body.setMinWidth(0);
        getChildren().addAll(head, body);
        row.cells().addListener((ListChangeListener<GalleryRow.Cell>) change -> fill());
        row.emerging().subscribe(this::emerge);
        row.stale().subscribe(stale -> pseudoClassStateChanged(STALE, stale));
        widthProperty().subscribe(now -> fit());
        model.settings().subscribe(now -> fill());
        fill();
    }

    private void fill() {
        pictures.clear();
        List<GalleryRow.Cell> cells = row.cells();
        int count = cells.isEmpty() ? model.settings().get().seeds().count() : cells.size();
        tiles.getChildren().setAll(IntStream.range(0, count).mapToObj(i -> i < cells.size() && cells.get(i).made() != null ? picture(i, cells.get(i).made()) : empty()).toList());
        fit();
    }

    /// Shows a picture in its place while it is made.
    private void emerge(GalleryRow.@Nullable Emerging emerging) {
        if (emerging == null) {
            fill();
            return;
        }
        if (emerging.column() >= tiles.getChildren().size()) return;
        if (tiles.getChildren().get(emerging.column()) instanceof PictureView there) {
            there.setImage(PictureView.image(emerging.look()));
            return;
        }
        PictureView view = new PictureView(emerging.look(), tiles.getPrefTileWidth());
        pictures.add(view);
        tiles.getChildren().set(emerging.column(), view);
    }

    private static Node empty() {
        StackPane empty = new StackPane();
        empty.getStyleClass().add("empty-picture");
        return empty;
    }

    private Node picture(int column, Made made) {
        Image image = PictureView.image(made.picture());
        PictureView view = new PictureView(image, MOST);
        pictures.add(view);
        Button button = new Button();
        button.setGraphic(view);
        button.getStyleClass().add("picture-button");
        button.pseudoClassStateChanged(CURRENT, row.current(column));
        button.setAlignment(Pos.CENTER);
        button.setAccessibleText(row.title() + ", seed " + Seed.format(row.cells().get(column).seed()));
        button.setTooltip(new Tooltip("seed " + Seed.format(row.cells().get(column).seed())));
        button.setOnAction(pressed -> large.open(row, column));
        return button;
    }

    /// @param side the most that a picture may be high
    void limit(double side) {
        limit = Math.clamp(side, SQUEEZED, MOST);
        fit();
    }

    /// As many columns as there are seeds, up to four beside each other; more go into further lines.
    private void fit() {
        int count = Math.max(1, tiles.getChildren().size());
        int columns = count <= 4 ? Math.max(count, 4) : Math.min(count, 8) / 2 + count % 2;
        double room = Math.max(0, getWidth() - HEAD - 12 - 2);
        double side = Math.clamp((room - GAP * (columns - 1)) / columns, LEAST, limit);
        tiles.setPrefColumns(columns);
        tiles.setPrefTileWidth(side);
        tiles.setPrefTileHeight(side);
        for (PictureView picture : pictures) picture.side(side);
        for (Node tile : tiles.getChildren()) if (tile instanceof StackPane empty) empty.setPrefSize(side, side);
    }
}
