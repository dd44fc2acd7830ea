package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.generate.PromptSyntax.Edit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javafx.geometry.Insets;
import javafx.geometry.Pos;
import javafx.scene.TraversalDirection;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.input.MouseEvent;
import javafx.scene.layout.StackPane;
import javafx.scene.layout.VBox;
import jfx.incubator.scene.control.input.KeyBinding;
import jfx.incubator.scene.control.richtext.CodeArea;
import jfx.incubator.scene.control.richtext.SyntaxDecorator;
import jfx.incubator.scene.control.richtext.TextPos;
import jfx.incubator.scene.control.richtext.model.CodeTextModel;
import jfx.incubator.scene.control.richtext.model.RichParagraph;

/// A prompt of several lines, with weights, adapter tags and trigger words in colour. Ctrl+Up and Ctrl+Down change the
/// weight of the selection or of the word under the caret, Tab completes a trigger word, Up in the first line and Down
/// in the last one show other prompts.
final class PromptEditorView extends VBox {
    private final CodeArea area = new CodeArea();
    private final Label hint = new Label();
    private final Button completion = new Button();
    private final Supplier<List<String>> triggers;
    private final Consumer<String> onEdited;
    private List<String> shownTriggers = List.of();
    private boolean updating;

    /// What Up and Down do at the edges of the text.
    interface PromptNavigation {
        void older();

        void newer();
    }

    /// @param triggers trigger words and phrases, longest first
    PromptEditorView(Supplier<List<String>> triggers, Consumer<String> onEdited) {
        super(2);
        this.triggers = triggers;
        this.onEdited = onEdited;
        getStyleClass().add("prompt-editor");
        area.setWrapText(true);
        area.setUseContentHeight(false);
        area.setContentPadding(new Insets(5, 7, 5, 7));
        area.setSyntaxDecorator(new PromptColours());
        // The colours become part of the text when it is decorated, and can stay another theme's until the next layout.
        area.backgroundProperty().subscribe((before, now) -> area.setSyntaxDecorator(new PromptColours()));
        hint.getStyleClass().addAll("muted", "prompt-hint");
        hint.setMouseTransparent(true);
        StackPane stack = new StackPane(area, hint);
        StackPane.setAlignment(hint, Pos.TOP_LEFT);
        completion.getStyleClass().addAll("flat", "small");
        completion.setFocusTraversable(false);
        completion.setOnAction(pressed -> complete());
        completion.setVisible(false);
        completion.setManaged(false);
        getChildren().addAll(stack, completion);
        area.getModel().addListener(change -> {
            if (change.isEdit()) onChanged();
        });
        area.caretPositionProperty().subscribe(now -> showCompletion());
        area.addEventFilter(KeyEvent.KEY_PRESSED, this::onKey);
        area.addEventFilter(MouseEvent.MOUSE_PRESSED, press -> area.requestFocus());
        area.getInputMap().register(KeyBinding.shortcut(KeyCode.UP), () -> changeWeight(1));
        area.getInputMap().register(KeyBinding.shortcut(KeyCode.DOWN), () -> changeWeight(-1));
    }

    /// The editor itself, for focus, id and accessible text.
    CodeArea area() {
        return area;
    }

    /// @param text shown while nothing is typed
    void setHint(String text) {
        hint.setText(text);
        showHint();
    }

    /// @param height in pixels
    void setEditorHeight(double height) {
        area.setMinHeight(height);
        area.setPrefHeight(height);
        area.setMaxHeight(height);
    }

    void setNavigation(PromptNavigation navigation) {
        area.getInputMap().register(KeyBinding.of(KeyCode.UP), () -> {
            boolean isFirstLine = reaches(area::moveLineStart, TextPos.ZERO);
            area.moveUp();
            if (isFirstLine) navigation.older();
        });
        area.getInputMap().register(KeyBinding.of(KeyCode.DOWN), () -> {
            boolean isLastLine = reaches(area::moveLineEnd, area.getDocumentEnd());
            area.moveDown();
            if (isLastLine) navigation.newer();
        });
    }

    /// Whether a move of the caret leads to a position. The caret stays where it is.
    private boolean reaches(Runnable move, TextPos goal) {
        TextPos before = area.getCaretPosition();
        move.run();
        boolean isThere = offset(area.getCaretPosition()) == offset(goal);
        area.select(before);
        return isThere;
    }

    String typed() {
        return String.valueOf(area.getText());
    }

    /// Shows a text without reporting it as edited; the caret goes to its end.
    void show(String text) {
        if (text.equals(typed())) return;
        updating = true;
        area.setText(text);
        area.moveDocumentEnd();
        updating = false;
        showHint();
    }

    /// Colours the text again if the trigger words have changed.
    void refreshTriggers() {
        if (triggers.get().equals(shownTriggers)) return;
        area.setSyntaxDecorator(new PromptColours());
        showCompletion();
    }

    private void onChanged() {
        showHint();
        showCompletion();
        if (!updating) onEdited.accept(typed());
    }

    private void showHint() {
        hint.setVisible(typed().isEmpty());
    }

    private void onKey(KeyEvent key) {
        // Without a caret nothing can be typed: it is missing until the first click.
        if (area.getCaretPosition() == null) area.select(area.getDocumentEnd());
        if (key.getCode() != KeyCode.TAB || key.isShortcutDown()) return;
        if (!key.isShiftDown() && completion.isVisible()) complete();
        else if (key.isShiftDown()) area.requestFocusTraversal(TraversalDirection.PREVIOUS);
        else area.requestFocusTraversal(TraversalDirection.NEXT);
        key.consume();
    }

    private void showCompletion() {
        Optional<String> found = area.hasNonEmptySelection() ? Optional.empty()
                : PromptSyntax.completion(typed(), offset(area.getCaretPosition()), triggers.get());
        completion.setText(found.map(words -> text("generate.prompt.complete", words)).orElse(""));
        completion.setVisible(found.isPresent());
        completion.setManaged(found.isPresent());
    }

    private void complete() {
        int caret = offset(area.getCaretPosition());
        PromptSyntax.completion(typed(), caret, triggers.get())
                .ifPresent(words -> apply(PromptSyntax.complete(typed(), caret, words)));
    }

    private void changeWeight(int direction) {
        int caret = offset(area.getCaretPosition()), anchor = offset(area.getAnchorPosition());
        apply(PromptSyntax.changeWeight(new Edit(typed(), Math.min(caret, anchor), Math.max(caret, anchor)),
                direction));
    }

    /// One step of undo: only the part that differs is replaced.
    private void apply(Edit edit) {
        String before = typed();
        int prefix = 0;
        int shorter = Math.min(before.length(), edit.text().length());
        while (prefix < shorter && before.charAt(prefix) == edit.text().charAt(prefix)) prefix++;
        int suffix = 0;
        while (suffix < shorter - prefix && before.charAt(before.length() - 1 - suffix) == edit.text()
                .charAt(edit.text().length() - 1 - suffix))
            suffix++;
        if (!before.equals(edit.text()))
            area.replaceText(position(prefix), position(before.length() - suffix),
                    edit.text().substring(prefix, edit.text().length() - suffix));
        area.select(position(edit.start()), position(edit.end()));
    }

    private int offset(TextPos position) {
        int offset = position == null ? 0 : position.offset();
        for (int i = 0; position != null && i < position.index(); i++) offset += area.getPlainText(i).length() + 1;
        return offset;
    }

    private TextPos position(int offset) {
        int paragraph = 0;
        int rest = offset;
        while (paragraph < area.getParagraphCount() - 1 && rest > area.getPlainText(paragraph).length())
            rest -= area.getPlainText(paragraph++).length() + 1;
        return TextPos.ofLeading(paragraph, rest);
    }

    private final class PromptColours implements SyntaxDecorator {
        PromptColours() {
            shownTriggers = triggers.get();
        }

        @Override
        public RichParagraph createRichParagraph(CodeTextModel model, int index) {
            RichParagraph.Builder paragraph = RichParagraph.builder();
            int start = 0;
            List<PromptSyntax.Part> parts = new ArrayList<>(
                    PromptSyntax.parts(model.getPlainText(index), shownTriggers));
            for (PromptSyntax.Part part : parts) {
                switch (part.kind()) {
                    case TEXT -> paragraph.addWithStyleNames(part.text(), "prompt-text");
                    case EMPHASIS -> paragraph.addWithStyleNames(part.text(), "prompt-emphasis");
                    case ADAPTER_TAG -> paragraph.addWithStyleNames(part.text(), "prompt-tag");
                    case TRIGGER -> {
                        paragraph.addWithStyleNames(part.text(), "prompt-trigger");
                        paragraph.addHighlight(start, part.text().length(), "prompt-trigger-area");
                    }
                }
                start += part.text().length();
            }
            return paragraph.build();
        }

        @Override
        public void handleChange(CodeTextModel model, TextPos start, TextPos end, int charsTop, int linesAdded,
                int charsBottom) {}
    }
}
