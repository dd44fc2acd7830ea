package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.Shortcut;
import atomstudio.app.dataset.Subject;
import java.util.List;
import java.util.function.DoubleFunction;
import javafx.event.EventHandler;
import javafx.scene.Node;
import javafx.scene.Scene;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import javafx.stage.Window;
import org.jspecify.annotations.Nullable;

/// Everything that determines images, at the left edge of a page, with the button that generates them.
public final class GeneratePanelView extends VBox {
    static final DoubleFunction<String> INTEGER = value -> String.valueOf((long) value);
    static final double WIDTH = 320;
    private static final double PROMPT_HEIGHT = 76;
    private static final double NEGATIVE_PROMPT_HEIGHT = 52;

    private final GenerateViewModel model;
    private final PromptEditorView prompt;
    private final Button generate;
    private final EventHandler<KeyEvent> generateKey = this::onGenerateKey;
    private final EventHandler<KeyEvent> cancelKey = this::onCancelKey;

    /// With adapters, for a page that generates its own rows.
    public GeneratePanelView(GenerateViewModel model) {
        this(model, new GenerateButtonView(model), List.of(new AdapterCardsView(model)));
    }

    /// For a page whose rows have adapters of their own.
    /// @param generate the page's button
    public GeneratePanelView(GenerateViewModel model, Button generate) {
        this(model, generate, List.of());
    }

    private GeneratePanelView(GenerateViewModel model, Button generate, List<Node> adapters) {
        this.model = model;
        this.generate = generate;
        setId("generate-panel");
        getStyleClass().add("generate-panel");
        setMinWidth(WIDTH);
        setPrefWidth(WIDTH);
        setMaxWidth(WIDTH);
        prompt = promptEditor();
        VBox sections = new VBox(14, section(title(text("generate.prompt"), historyButton()), prompt),
                section(title(text("generate.negative")), negativePromptEditor()));
        sections.getChildren().addAll(adapters);
        sections.getChildren()
                .addAll(new SizeView(model), new QualityView(model), new SeedView(model), new SourceCardView(model));
        sections.getStyleClass().add("panel-sections");
        FocusScrollView scroll = new FocusScrollView(sections);
        VBox.setVgrow(scroll, Priority.ALWAYS);
        VBox bottom = new VBox(8, new NoteView(NoteView.NoteKind.WARNING, model.source().missingSource()),
                new NoteView(NoteView.NoteKind.ERROR, model.batches().problem()), generate);
        bottom.getStyleClass().add("panel-bottom");
        getChildren().addAll(scroll, bottom);
        sceneProperty().addListener((property, before, now) -> listenTo(before, now));
        // Another program may have replaced a file: checked when the page or the window is shown again.
        sceneProperty().flatMap(Scene::windowProperty).flatMap(Window::focusedProperty).subscribe(focused -> {
            if (focused != null && focused) model.checkFiles();
        });
    }

    /// Ctrl+Enter and Esc work on the whole page while the panel is visible.
    private void listenTo(@Nullable Scene before, @Nullable Scene now) {
        if (before != null) {
            before.removeEventFilter(KeyEvent.KEY_PRESSED, generateKey);
            before.removeEventHandler(KeyEvent.KEY_PRESSED, cancelKey);
        }
        if (now == null) return;
        now.addEventFilter(KeyEvent.KEY_PRESSED, generateKey);
        now.addEventHandler(KeyEvent.KEY_PRESSED, cancelKey);
    }

    private void onGenerateKey(KeyEvent key) {
        if (!Shortcut.GENERATE.matches(key) || !isShown()) return;
        model.generate();
        key.consume();
    }

    private void onCancelKey(KeyEvent key) {
        if (!Shortcut.CANCEL.matches(key) || !isShown() || model.batches().busy().get().isEmpty()) return;
        model.cancel();
        key.consume();
    }

    private boolean isShown() {
        for (Node node = this; node != null; node = node.getParent()) if (!node.isVisible()) return false;
        return true;
    }

    /// A title line and its controls.
    static VBox section(Node title, Node... controls) {
        VBox section = new VBox(6, title);
        section.getChildren().addAll(controls);
        return section;
    }

    /// The title of a section, with controls at the right edge.
    static HBox title(String text, Node... right) {
        Label label = new Label(text);
        label.getStyleClass().add("section-title");
        label.setMinWidth(Region.USE_PREF_SIZE);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox line = new HBox(6, label, gap);
        line.getStyleClass().add("section-line");
        line.getChildren().addAll(right);
        return line;
    }

    private Button historyButton() {
        Button button = new ActionButtonView(text("generate.prompt.history"), model.prompt()::showOlder, "flat",
                "small");
        button.setTooltip(new Tooltip(text("generate.prompt.history.tip")));
        return button;
    }

    private String phrase() {
        Subject subject = model.subject().get();
        return subject == null ? "" : subject.promptPhrase();
    }

    private PromptEditorView promptEditor() {
        PromptEditorView editor = new PromptEditorView(model.adapters()::triggers,
                words -> model.prompt().set(SubjectPrompt.of(words, phrase())));
        editor.area().setId("prompt");
        editor.area().setAccessibleText(text("generate.prompt"));
        editor.setEditorHeight(PROMPT_HEIGHT);
        editor.setHint(text("generate.prompt.hint"));
        editor.setNavigation(new PromptEditorView.PromptNavigation() {
            @Override
            public void older() {
                model.prompt().showOlder();
            }

            @Override
            public void newer() {
                model.prompt().showNewer();
            }
        });
        model.prompt().property().subscribe(now -> showPrompt(editor, now));
        model.subject().subscribe((@Nullable Subject now) -> showPrompt(editor, model.prompt().get()));
        model.settings().subscribe(now -> editor.refreshTriggers());
        model.adapters().triggerChanges().subscribe(now -> editor.refreshTriggers());
        return editor;
    }

    /// A text that means the same prompt stays as it was typed.
    private void showPrompt(PromptEditorView editor, SubjectPrompt now) {
        String phrase = phrase();
        if (!SubjectPrompt.of(editor.typed(), phrase).text(phrase).equals(now.text(phrase)))
            editor.show(now.text(phrase));
        editor.refreshTriggers();
    }

    private PromptEditorView negativePromptEditor() {
        PromptEditorView editor = new PromptEditorView(model.adapters()::triggers,
                words -> model.updateSettings(now -> now.withNegativePrompt(words.replaceAll("\\R", " "))));
        editor.area().setId("negative-prompt");
        editor.area().setAccessibleText(text("generate.negative"));
        editor.setEditorHeight(NEGATIVE_PROMPT_HEIGHT);
        editor.setHint(text("generate.negative.hint"));
        model.settings().subscribe(now -> {
            if (!editor.typed().replaceAll("\\R", " ").equals(now.negativePrompt())) editor.show(now.negativePrompt());
        });
        return editor;
    }

    public void focusPrompt() {
        prompt.area().requestFocus();
    }

    public void focusGenerate() {
        generate.requestFocus();
    }
}
