package atomstudio.app.window;

import atomstudio.app.parts.NoteView;
import atomstudio.app.parts.RoundedImageView;
import atomstudio.app.subjects.Subject;
import atomstudio.app.subjects.Thumbnail;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import javafx.collections.ListChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;

/// Subjects, and the other pages.
final class SidebarView extends VBox {
    private static final PseudoClass ON = PseudoClass.getPseudoClass("on");
    private static final double COVER = 34;

    private final WindowViewModel model;
    private final VBox items = new VBox(2);
    private final Map<SubjectPageViewModel, Button> buttons = new HashMap<>();

    SidebarView(WindowViewModel model) {
        super(4);
        this.model = model;
        getStyleClass().add("sidebar");
        Button fresh = new Button("+ New subject");
        fresh.setId("new-subject");
        fresh.setMaxWidth(Double.MAX_VALUE);
        fresh.setOnAction(pressed -> model.newSubject());
        Label title = new Label("Subjects");
        title.getStyleClass().addAll("muted", "small-text", "side-title");
        Label none = new Label("none yet");
        none.getStyleClass().addAll("muted", "side-none");
        ScrollPane scroll = new ScrollPane(items);
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        model.subjects().addListener((ListChangeListener<SubjectPageViewModel>) change -> fill(none));
        fill(none);
        getChildren().addAll(fresh, title, none, scroll, new NoteView(NoteView.NoteKind.ERROR, model.problem()),
            link("Generate only", model::openGenerate, Page.Generate.class), link("Models", model::openModels, Page.Models.class), link("Settings", model::openSettings, Page.Settings.class));
        model.page().subscribe(page -> buttons.forEach((subject, button) -> button.pseudoClassStateChanged(ON, page instanceof Page.OfSubject(SubjectPageViewModel shown) && shown == subject)));
    }

    private void fill(Label none) {
        items.getChildren().setAll(model.subjects().stream().map(subject -> buttons.computeIfAbsent(subject, this::item)).toList());
        none.setVisible(model.subjects().isEmpty());
        none.setManaged(model.subjects().isEmpty());
    }

    private Button item(SubjectPageViewModel subject) {
        String name = subject.subject().subject().get().name();
        Label title = new Label();
        title.textProperty().bind(subject.subject().subject().map(Subject::title));
        Label state = new Label();
        state.getStyleClass().addAll("muted", "small-text");
        state.textProperty().bind(subject.state());
        StackPane cover = new StackPane();
        cover.getStyleClass().add("cover");
        cover.setMinSize(COVER, COVER);
        cover.setMaxSize(COVER, COVER);
        Runnable picture = () -> cover.getChildren().setAll(subject.subject().thumbnails().stream().limit(1).map(thumbnail -> (Node) new RoundedImageView(thumbnail.image(), COVER)).toList());
        subject.subject().thumbnails().addListener((ListChangeListener<Thumbnail>) change -> picture.run());
        picture.run();
        HBox content = new HBox(9, cover, new VBox(title, state));
        content.setAlignment(Pos.CENTER_LEFT);
        Button item = new Button();
        item.setGraphic(content);
        item.setId("subject-" + name);
        item.setAccessibleText("Subject " + name);
        item.getStyleClass().addAll("flat", "side-item");
        item.setMaxWidth(Double.MAX_VALUE);
        item.setAlignment(Pos.CENTER_LEFT);
        item.setOnAction(pressed -> model.open(subject));
        item.pseudoClassStateChanged(ON, model.page().get() instanceof Page.OfSubject(SubjectPageViewModel shown) && shown == subject);
        return item;
    }

    private Button link(String text, Runnable action, Class<? extends Page> page) {
        Button link = new Button(text);
        link.setId("open-" + page.getSimpleName().toLowerCase(Locale.ROOT));
        link.getStyleClass().addAll("flat", "side-item");
        link.setMaxWidth(Double.MAX_VALUE);
        link.setAlignment(Pos.CENTER_LEFT);
        link.setOnAction(pressed -> action.run());
        model.page().subscribe(shown -> link.pseudoClassStateChanged(ON, page.isInstance(shown)));
        return link;
    }
}
