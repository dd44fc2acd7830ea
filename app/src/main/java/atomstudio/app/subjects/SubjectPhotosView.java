package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.TileGridView;
import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import atomstudio.app.subjects.SubjectViewModel.SubjectPhoto;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.collections.FXCollections;
import javafx.collections.ListChangeListener;
import javafx.collections.ObservableList;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.jspecify.annotations.Nullable;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The tab with the subject's photos as large tiles, what was found about them, and a way on to training.
final class SubjectPhotosView extends VBox {
    private static final double GAP = 14;

    private final SubjectPageViewModel page;
    private final SubjectViewModel model;
    /// The first item, without a photo, adds photos.
    private final ObservableList<Optional<SubjectPhoto>> items = FXCollections.observableArrayList();
    private final TileGridView<Optional<SubjectPhoto>> grid = new TileGridView<>(items, tileSize(false),
            PhotoTile::new);
    private final Label count = new Label();

    /// @param openModels opens the Models page
    SubjectPhotosView(SubjectPageViewModel page, Runnable openModels) {
        super(10);
        this.page = page;
        model = page.subject();
        getStyleClass().add("subject-tab");
        grid.setId("photos-grid");
        model.photos().addListener((ListChangeListener<SubjectPhoto>) change -> showPhotos());
        showPhotos();
        page.trainingCrop().subscribe(crop -> grid.refresh());
        page.trainingResolution().subscribe(resolution -> grid.refresh());
        model.busy().subscribe(now -> updateCount());
        model.subject().subscribe(now -> updateCount());
        Hyperlink dismiss = new Hyperlink(text("subjects.dismiss"));
        dismiss.setOnAction(pressed -> model.dismissMessages());
        RejectedFilesView rejected = new RejectedFilesView(model.rejected());
        NoteView problem = new NoteView(NoteView.NoteKind.ERROR, model.problem());
        dismiss.visibleProperty().bind(rejected.visibleProperty().or(problem.visibleProperty()));
        dismiss.managedProperty().bind(dismiss.visibleProperty());
        VBox.setVgrow(grid, Priority.ALWAYS);
        getChildren().addAll(header(), unlikeModel(openModels), problem, rejected, dismiss, grid);
    }

    private Node header() {
        count.getStyleClass().add("muted");
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Button next = new ActionButtonView(text("subjects.photos.next"), () -> page.openTab(PageTab.TRAIN), "accent")
                .withId("open-train");
        next.disableProperty().bind(model.subject().map(subject -> subject.photos().isEmpty()));
        HBox line = new HBox(8, count, gap, next);
        line.setAlignment(Pos.CENTER_LEFT);
        return line;
    }

    /// A hint while the photos look unlike what the built-in model draws.
    private Node unlikeModel(Runnable openModels) {
        NoteView note = new NoteView(NoteView.NoteKind.WARNING, page.photosNote());
        note.setId("photos-note");
        note.setMaxWidth(Region.USE_PREF_SIZE);
        Hyperlink getModel = new Hyperlink(text("subjects.get-model"));
        getModel.setId("photos-get-model");
        getModel.setOnAction(pressed -> openModels.run());
        getModel.setMinWidth(Region.USE_PREF_SIZE);
        HBox line = new HBox(8, note, getModel);
        line.setAlignment(Pos.CENTER_LEFT);
        line.visibleProperty().bind(note.visibleProperty());
        line.managedProperty().bind(line.visibleProperty());
        return line;
    }

    private void updateCount() {
        int photos = model.subject().get().photos().size();
        count.setText(!model.busy().get().isEmpty() ? model.busy().get()
                : photos == 0 ? text("subjects.photos.none") : model.subject().get().summary());
    }

    private static TileGridView.TileSize tileSize(boolean isDescribed) {
        return new TileGridView.TileSize(PhotoTileView.SIDE, PhotoTileView.SIDE
                + (isDescribed ? PhotoTileView.DESCRIPTION_HEIGHT : PhotoTileView.NAME_HEIGHT), GAP);
    }

    private void showPhotos() {
        grid.setTileSize(tileSize(model.photos()
                .stream()
                .map(SubjectPhoto::sidecars)
                .anyMatch(beside -> !beside.caption().isEmpty() || beside.mask().isPresent())));
        items.setAll(Stream.concat(Stream.of(Optional.<SubjectPhoto>empty()), model.photos().stream().map(Optional::of))
                .toList());
    }

    private Button addButton(double side) {
        Button add = new Button(text("subjects.photos.add"), new FontIcon(Feather.PLUS));
        add.setId("add-photos");
        add.getStyleClass().add("add-tile");
        add.setMinSize(side, side);
        add.setPrefSize(side, side);
        add.setTooltip(new Tooltip(text("subjects.photos.add.help")));
        add.setOnAction(pressed -> model.choosePhotos());
        return add;
    }

    /// The place of a photo or of the button that adds photos. Its node is kept while it shows the same.
    private final class PhotoTile implements TileGridView.Tile<Optional<SubjectPhoto>> {
        private final StackPane place = new StackPane();
        private @Nullable Object shown;

        PhotoTile() {
            place.setAlignment(Pos.TOP_LEFT);
        }

        @Override
        public Node node() {
            return place;
        }

        @Override
        public void show(@Nullable Optional<SubjectPhoto> item, double side) {
            Object wanted = item == null ? null
                    : List.of(item, side, page.trainingCrop().get(), page.trainingResolution().get(),
                            item.flatMap(model::duplicateOf));
            if (Objects.equals(wanted, shown)) return;
            shown = wanted;
            place.setMinSize(side, side);
            place.setMaxWidth(side);
            if (item == null) place.getChildren().clear();
            else
                place.getChildren()
                        .setAll(item.<Node>map(photo -> new PhotoTileView(page, photo, side))
                                .orElseGet(() -> addButton(side)));
        }
    }
}
