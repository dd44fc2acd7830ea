package atomstudio.app.window;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.dataset.Subject;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.subjects.SubjectViewModel;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
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

/// The list of subjects and the links to the other pages.
final class SidebarView extends VBox {
    private static final PseudoClass SELECTED = PseudoClass.getPseudoClass("current");
    private static final double COVER_SIDE = 34;

    private final WindowViewModel model;
    private final VBox items = new VBox(2);
    private final Map<SubjectPageViewModel, Button> buttons = new HashMap<>();

    SidebarView(WindowViewModel model) {
        super(4);
        this.model = model;
        getStyleClass().add("sidebar");
        Button newSubject = new Button("+ New subject");
        newSubject.setId("new-subject");
        newSubject.setMaxWidth(Double.MAX_VALUE);
        newSubject.setOnAction(pressed -> model.newSubject());
        Label title = new Label("Subjects");
        title.getStyleClass().addAll("muted", "small-text", "sidebar-title");
        Label emptyLabel = new Label("None yet");
        emptyLabel.getStyleClass().addAll("muted", "sidebar-empty");
        ScrollPane scroll = new ScrollPane(items);
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        model.subjects().addListener((ListChangeListener<SubjectPageViewModel>) change -> refresh(emptyLabel));
        refresh(emptyLabel);
        getChildren().addAll(newSubject, title, emptyLabel, scroll,
                new NoteView(NoteView.NoteKind.ERROR, model.problem()),
                pageButton("Generate", "generate", model::openGenerate, WindowPage.GeneratePage.class::isInstance));
        for (Screen screen : Screen.values())
            getChildren().add(pageButton(screen.title(), screen.id(), () -> model.open(screen),
                    new WindowPage.ScreenPage(screen)::equals));
        model.page()
                .subscribe(page -> buttons.forEach((subject, button) -> button.pseudoClassStateChanged(SELECTED,
                        page instanceof WindowPage.SubjectPage(SubjectPageViewModel shown) && shown == subject)));
    }

    private void refresh(Label emptyLabel) {
        buttons.keySet().retainAll(model.subjects());
        items.getChildren()
                .setAll(model.subjects()
                        .stream()
                        .map(subject -> buttons.computeIfAbsent(subject, this::subjectButton))
                        .toList());
        emptyLabel.setVisible(model.subjects().isEmpty());
        emptyLabel.setManaged(model.subjects().isEmpty());
    }

    private Button subjectButton(SubjectPageViewModel subject) {
        String name = subject.subject().subject().get().name();
        Label title = new Label();
        title.textProperty().bind(subject.subject().subject().map(Subject::title));
        Label state = new Label();
        state.getStyleClass().addAll("muted", "small-text");
        state.textProperty().bind(subject.sidebarText());
        StackPane cover = new StackPane();
        cover.setMinSize(COVER_SIDE, COVER_SIDE);
        cover.setMaxSize(COVER_SIDE, COVER_SIDE);
        Runnable updateCover = () -> cover.getChildren()
                .setAll(subject.subject()
                        .thumbnails()
                        .stream()
                        .limit(1)
                        .map(thumbnail -> (Node) new RoundedImageView(thumbnail.image(), COVER_SIDE))
                        .toList());
        subject.subject()
                .thumbnails()
                .addListener((ListChangeListener<SubjectViewModel.Thumbnail>) change -> updateCover.run());
        updateCover.run();
        HBox content = new HBox(9, cover, new VBox(title, state));
        content.setAlignment(Pos.CENTER_LEFT);
        Button item = new Button();
        item.setGraphic(content);
        item.setId("subject-" + name);
        item.setAccessibleText("Subject " + name);
        item.getStyleClass().addAll("flat", "sidebar-item");
        item.setMaxWidth(Double.MAX_VALUE);
        item.setAlignment(Pos.CENTER_LEFT);
        item.setOnAction(pressed -> model.open(subject));
        item.pseudoClassStateChanged(SELECTED,
                model.page().get() instanceof WindowPage.SubjectPage(SubjectPageViewModel shown) && shown == subject);
        return item;
    }

    private Button pageButton(String text, String id, Runnable action, Predicate<WindowPage> isShown) {
        Button link = new ActionButtonView(text, action, "flat", "sidebar-item").withId("open-" + id);
        link.setMaxWidth(Double.MAX_VALUE);
        link.setAlignment(Pos.CENTER_LEFT);
        model.page().subscribe(shown -> link.pseudoClassStateChanged(SELECTED, isShown.test(shown)));
        return link;
    }
}
