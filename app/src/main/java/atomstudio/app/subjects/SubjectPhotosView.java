package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import atomstudio.app.subjects.SubjectViewModel.Thumbnail;
import java.util.ArrayList;
import java.util.List;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.geometry.VPos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Hyperlink;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The tab with the subject's photos as large tiles, what was found about them, and a way on to training.
final class SubjectPhotosView extends VBox {
    private final SubjectPageViewModel page;
    private final SubjectViewModel model;
    private final FlowPane tiles = new FlowPane(14, 14);
    private final Label count = new Label();

    /// @param openModels opens the Models page
    SubjectPhotosView(SubjectPageViewModel page, Runnable openModels) {
        super(10);
        this.page = page;
        model = page.subject();
        getStyleClass().add("subject-tab");
        tiles.setRowValignment(VPos.TOP);
        model.thumbnails().addListener((ListChangeListener<Thumbnail>) change -> refresh());
        page.trainingCrop().subscribe(crop -> refresh());
        page.trainingResolution().subscribe(resolution -> refresh());
        model.busy().subscribe(now -> updateCount());
        model.subject().subscribe(now -> updateCount());
        Hyperlink dismiss = new Hyperlink(text("subjects.dismiss"));
        dismiss.setOnAction(pressed -> model.dismissMessages());
        RejectedFilesView rejected = new RejectedFilesView(model.rejected());
        NoteView problem = new NoteView(NoteView.NoteKind.ERROR, model.problem());
        dismiss.visibleProperty().bind(rejected.visibleProperty().or(problem.visibleProperty()));
        dismiss.managedProperty().bind(dismiss.visibleProperty());
        FocusScrollView scroll = new FocusScrollView(tiles);
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(header(), unlikeModel(openModels), problem, rejected, dismiss, scroll);
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

    private void refresh() {
        List<Node> nodes = new ArrayList<>();
        for (Thumbnail photo : model.thumbnails()) nodes.add(new PhotoTileView(page, photo));
        Button add = new Button(text("subjects.photos.add"), new FontIcon(Feather.PLUS));
        add.setId("add-photos");
        add.getStyleClass().add("add-tile");
        add.setMinSize(PhotoTileView.SIDE, PhotoTileView.SIDE);
        add.setPrefSize(PhotoTileView.SIDE, PhotoTileView.SIDE);
        add.setTooltip(new Tooltip(text("subjects.photos.add.help")));
        add.setOnAction(pressed -> model.choosePhotos());
        nodes.addFirst(add); // always in sight, however many photos there are
        tiles.getChildren().setAll(nodes);
    }
}
