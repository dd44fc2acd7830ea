package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.RoundedImageView;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.dataset.Subject;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javafx.collections.ListChangeListener;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The links to the pages, and the list of subjects.
final class SidebarView extends VBox {
    private static final PseudoClass SELECTED = PseudoClass.getPseudoClass("current");
    private static final double COVER_SIDE = 34;

    private final WindowViewModel model;
    private final VBox items = new VBox(2);
    private final Button newSubject;
    private final Map<SubjectPageViewModel, Button> buttons = new HashMap<>();

    SidebarView(WindowViewModel model) {
        super(4);
        this.model = model;
        getStyleClass().add("sidebar");
        newSubject = link(text("window.new-subject"), Feather.PLUS, "new-subject", model::newSubject);
        newSubject.setTooltip(new Tooltip(Shortcut.NEW_SUBJECT.tip(text("window.new-subject"))));
        Label title = new Label(text("window.subjects"));
        title.getStyleClass().addAll("muted", "small-text", "sidebar-title");
        ScrollPane scroll = new ScrollPane(items);
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        model.subjects().pages().addListener((ListChangeListener<SubjectPageViewModel>) change -> refresh());
        refresh();
        Button generate = pageButton(text("window.generate"), Feather.EDIT_3, "generate", model::openGenerate,
                WindowPage.GeneratePage.class::isInstance);
        generate.setTooltip(new Tooltip(Shortcut.PAGE_1.tip(text("window.generate"))));
        getChildren().add(generate);
        addScreens(Screen.Place.TOP);
        getChildren().addAll(title, scroll, new NoteView(NoteView.NoteKind.ERROR, model.subjects().problem()));
        addScreens(Screen.Place.BOTTOM);
        model.page()
                .subscribe(page -> buttons.forEach((subject, button) -> button.pseudoClassStateChanged(SELECTED,
                        page instanceof WindowPage.SubjectPage(SubjectPageViewModel shown) && shown == subject)));
    }

    private void addScreens(Screen.Place place) {
        for (Screen screen : Screen.values()) {
            if (screen.place() != place) continue;
            Button button = pageButton(screen.title(), screen.icon(), screen.id(), () -> model.open(screen),
                    new WindowPage.ScreenPage(screen)::equals);
            button.setTooltip(new Tooltip(screen.shortcut().tip(screen.title())));
            getChildren().add(button);
        }
    }

    private void refresh() {
        buttons.keySet().retainAll(model.subjects().pages());
        Stream<Button> subjects = model.subjects()
                .pages()
                .stream()
                .map(subject -> buttons.computeIfAbsent(subject, this::subjectButton));
        items.getChildren().setAll(Stream.concat(subjects, Stream.of(newSubject)).toList());
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
        subject.subject()
                .cover()
                .subscribe(image -> cover.getChildren()
                        .setAll(image.stream().map(pixels -> new RoundedImageView(pixels, COVER_SIDE)).toList()));
        HBox content = new HBox(9, cover, new VBox(title, state));
        content.setAlignment(Pos.CENTER_LEFT);
        Button item = new Button();
        item.setGraphic(content);
        item.setId("subject-" + name);
        item.setAccessibleText(text("window.subject", name));
        item.getStyleClass().addAll("flat", "sidebar-item");
        item.setMaxWidth(Double.MAX_VALUE);
        item.setAlignment(Pos.CENTER_LEFT);
        item.setOnAction(pressed -> model.open(subject));
        item.pseudoClassStateChanged(SELECTED,
                model.page().get() instanceof WindowPage.SubjectPage(SubjectPageViewModel shown) && shown == subject);
        return item;
    }

    private static Button link(String title, Feather icon, String id, Runnable action) {
        Button link = new ActionButtonView(title, action, "flat", "sidebar-item").withId(id);
        link.setGraphic(new FontIcon(icon));
        link.setGraphicTextGap(9);
        link.setMaxWidth(Double.MAX_VALUE);
        link.setAlignment(Pos.CENTER_LEFT);
        return link;
    }

    private Button pageButton(String title, Feather icon, String id, Runnable action, Predicate<WindowPage> isShown) {
        Button link = link(title, icon, "open-" + id, action);
        model.page().subscribe(shown -> link.pseudoClassStateChanged(SELECTED, isShown.test(shown)));
        return link;
    }
}
