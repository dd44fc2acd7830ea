package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import java.util.List;
import javafx.application.Platform;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.input.KeyCode;
import javafx.scene.input.KeyEvent;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.text.Text;
import org.jspecify.annotations.Nullable;

/// A prompt field with the subject's phrase as a chip between two text fields, so that the trigger word need not be
/// typed. Arrow keys move across the chip; Backspace, Delete or a click remove it, "Add subject" restores it.
public final class PromptFieldView extends HBox {
    private final GenerateViewModel model;
    private final TextField before = new TextField();
    private final TextField after = new TextField();
    private final Button chip = new Button();
    private final Button addSubject = new Button(text("generate.add-subject"));

    public PromptFieldView(GenerateViewModel model) {
        this.model = model;
        getStyleClass().add("prompt-field");
        setAlignment(Pos.CENTER_LEFT);
        before.setId("prompt-before");
        after.setId("prompt");
        chip.getStyleClass().add("chip");
        chip.setTooltip(
                new Tooltip(
                        text("generate.your-subject-the-base-model-gets")));
        chip.setMinWidth(Region.USE_PREF_SIZE);
        addSubject.setMinWidth(Region.USE_PREF_SIZE);
        chip.setOnAction(pressed -> setMention(SubjectPrompt.Mention.NONE));
        addSubject.getStyleClass().addAll("flat", "small");
        addSubject.setOnAction(pressed -> setMention(SubjectPrompt.Mention.SUBJECT));
        HBox.setHgrow(after, Priority.ALWAYS);
        ReadOnlyObjectProperty<@Nullable Subject> subject = model.subject();
        chip.textProperty().bind(subject.map(Subject::promptPhrase).orElse(""));
        getChildren().addAll(before, chip, after, addSubject);
        model.prompt().property().subscribe(this::show);
        before.textProperty().addListener((property, was, now) -> updateModel());
        after.textProperty().addListener((property, was, now) -> updateModel());
        before.textProperty().subscribe(now -> fitWidth());
        before.fontProperty().subscribe(now -> fitWidth());
        before.addEventFilter(KeyEvent.KEY_PRESSED, this::onKeyBeforeChip);
        after.addEventFilter(KeyEvent.KEY_PRESSED, this::onKeyAfterChip);
        addEventFilter(KeyEvent.KEY_PRESSED, this::onHistoryKey);
        before.setOnAction(entered -> model.generate());
        after.setOnAction(entered -> model.generate());
        for (TextField field : List.of(before, after))
            field.focusedProperty().subscribe(focused -> Platform.runLater(() -> unselectAll(field)));
    }

    /// JavaFX selects the text of a field that gets the focus without the mouse; here that is one half of the prompt.
    private static void unselectAll(TextField field) {
        if (field.getSelection().getLength() == field.getLength()) field.end();
    }

    /// Up and Down show earlier prompts.
    private void onHistoryKey(KeyEvent key) {
        if (key.getCode() == KeyCode.UP) model.prompt().showOlder();
        else if (key.getCode() == KeyCode.DOWN) model.prompt().showNewer();
        else return;
        TextField field = before.isFocused() ? before : after;
        field.end();
        key.consume();
    }

    private void updateModel() {
        model.prompt().set(new SubjectPrompt(before.getText(), model.prompt().get().mention(), after.getText()));
    }

    private void setMention(SubjectPrompt.Mention mention) {
        model.prompt().set(model.prompt().get().with(mention));
        after.requestFocus();
        after.positionCaret(0);
    }

    private void show(SubjectPrompt prompt) {
        if (!prompt.before().equals(before.getText())) before.setText(prompt.before());
        if (!prompt.after().equals(after.getText())) after.setText(prompt.after());
        boolean mentioned = prompt.mention() == SubjectPrompt.Mention.SUBJECT && model.subject().get() != null;
        for (Node node : List.of(before, chip)) {
            node.setVisible(mentioned);
            node.setManaged(mentioned);
        }
        addSubject.setVisible(!mentioned && model.subject().get() != null);
        addSubject.setManaged(addSubject.isVisible());
        after.setPromptText(
                mentioned ? text("generate.in-the-snow-on-the-beach") : text("generate.a-red-car-on-the-beach"));
    }

    /// Fits the field before the chip to its text.
    private void fitWidth() {
        Text text = new Text(before.getText());
        text.setFont(before.getFont());
        before.setPrefWidth(Math.max(16, text.getLayoutBounds().getWidth() + 14));
        before.setMinWidth(Math.min(before.getPrefWidth(), 160));
    }

    private void onKeyBeforeChip(KeyEvent key) {
        boolean atEnd = before.getCaretPosition() == before.getLength() && before.getSelection().getLength() == 0;
        if (!atEnd) return;
        if (key.getCode() == KeyCode.RIGHT) {
            after.requestFocus();
            after.positionCaret(0);
        } else if (key.getCode() == KeyCode.DELETE) {
            setMention(SubjectPrompt.Mention.NONE);
        } else {
            return;
        }
        key.consume();
    }

    private void onKeyAfterChip(KeyEvent key) {
        boolean atStart = after.getCaretPosition() == 0 && after.getSelection().getLength() == 0;
        if (!atStart || !chip.isVisible()) return;
        if (key.getCode() == KeyCode.LEFT) {
            before.requestFocus();
            before.end();
        } else if (key.getCode() == KeyCode.BACK_SPACE) {
            setMention(SubjectPrompt.Mention.NONE);
        } else {
            return;
        }
        key.consume();
    }
}
