package atomstudio.app.subjects;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import java.util.ArrayList;
import java.util.List;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyCode;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.TilePane;

/// The subject's photos as thumbnails, a button to add more, and the rejected files.
public final class PhotosCardView extends CardView {
    private static final double SIDE = 61;

    private final SubjectViewModel model;
    private final TilePane tiles = new TilePane(6, 6);

    public PhotosCardView(SubjectViewModel model) {
        super("Photos");
        this.model = model;
        tiles.setPrefColumns(4);
        model.thumbnails().addListener((ListChangeListener<SubjectViewModel.Thumbnail>) change -> refresh());
        model.busy().subscribe(now -> updateCount());
        model.subject().subscribe(now -> updateCount());
        Hyperlink dismiss = new Hyperlink("Dismiss");
        dismiss.setOnAction(pressed -> model.dismissMessages());
        RejectedFilesView rejected = new RejectedFilesView(model.rejected());
        NoteView problem = new NoteView(NoteView.NoteKind.ERROR, model.problem());
        dismiss.visibleProperty().bind(rejected.visibleProperty().or(problem.visibleProperty()));
        dismiss.managedProperty().bind(dismiss.visibleProperty());
        refresh();
        add(tiles, problem, rejected, dismiss);
    }

    private void updateCount() {
        int count = model.subject().get().photos().size();
        subtitle().setText(!model.busy().get().isEmpty() ? model.busy().get() : count == 0 ? "None yet"
                : model.subject().get().summary());
    }

    private void refresh() {
        List<Node> nodes = new ArrayList<>(model.thumbnails().stream().map(this::tile).toList());
        Button add = new Button("+");
        add.setId("add-photos");
        add.getStyleClass().add("add-tile");
        add.setMinSize(SIDE, SIDE);
        add.setPrefSize(SIDE, SIDE);
        add.setTooltip(new Tooltip("Add photos"));
        add.setAccessibleText("Add photos");
        add.setOnAction(pressed -> model.choosePhotos());
        nodes.add(add);
        tiles.getChildren().setAll(nodes);
    }

    private Node tile(SubjectViewModel.Thumbnail thumbnail) {
        String name = thumbnail.file().getFileName().toString();
        Button remove = new Button("×");
        remove.getStyleClass().add("remove");
        remove.setAccessibleText("Remove " + name);
        remove.setTooltip(new Tooltip("Remove " + name));
        remove.setOnAction(pressed -> model.remove(thumbnail));
        remove.setOnKeyPressed(key -> {
            if (key.getCode() == KeyCode.DELETE) model.remove(thumbnail);
        });
        StackPane tile = new StackPane(new RoundedImageView(thumbnail.image(), SIDE), remove);
        tile.setMinSize(SIDE, SIDE);
        tile.getStyleClass().add("thumbnail");
        StackPane.setAlignment(remove, Pos.TOP_RIGHT);
        remove.opacityProperty()
                .bind(tile.hoverProperty().or(remove.focusedProperty()).map(shown -> shown ? 1.0 : 0.0));
        return tile;
    }
}
