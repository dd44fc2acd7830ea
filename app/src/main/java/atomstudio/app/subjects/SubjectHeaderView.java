package atomstudio.app.subjects;

import atomstudio.app.controls.AutocompleteFieldView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.dataset.Subject;
import java.util.List;
import java.util.function.Supplier;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;

/// The subject's name, class word and trigger word.
public final class SubjectHeaderView extends HBox {
    private static final PseudoClass REQUIRED = PseudoClass.getPseudoClass("required");

    private final AutocompleteFieldView classNameField;

    /// @param suggestions class words that the model draws
    /// @param delete      deletes the subject
    public SubjectHeaderView(SubjectViewModel model, Supplier<List<String>> suggestions, Runnable delete) {
        super(12);
        getStyleClass().add("subject-head");
        setAlignment(Pos.CENTER_LEFT);
        Label name = new Label();
        name.textProperty().bind(model.subject().map(Subject::title));
        name.getStyleClass().add("page-title");
        name.setMinWidth(Region.USE_PREF_SIZE);

        classNameField = new AutocompleteFieldView(suggestions);
        classNameField.setId("class-word");
        classNameField.setPromptText("e.g. dog");
        classNameField.setPrefColumnCount(9);
        classNameField.setText(model.subject().get().className());
        classNameField.textProperty().addListener((property, before, now) -> model.setClassName(now));
        classNameField
                .setTooltip(new Tooltip(
                        "A common noun for the subject. Training starts from what the model knows about it."));
        LabeledFieldView classField = new LabeledFieldView("What is it?", classNameField);
        model.subject()
                .subscribe(subject -> classField.pseudoClassStateChanged(REQUIRED, subject.className().isEmpty()));

        TextField triggerWord = new TextField(model.subject().get().triggerWord());
        triggerWord.setId("trigger-word");
        triggerWord.setPrefColumnCount(4);
        triggerWord.textProperty().addListener((property, before, now) -> model.setTriggerWord(now));
        triggerWord.setTooltip(
                new Tooltip(
                        "A rare word that identifies this subject. Keep “sks” unless you have a reason to change it."));

        Label phrase = new Label();
        phrase.getStyleClass().add("muted");
        phrase.textProperty()
                .bind(model.subject()
                        .map(subject -> subject.className().isEmpty() ? "Enter what it is to start"
                                : "Trigger: “a " + subject.promptPhrase() + "”"));
        MenuItem deleteItem = new MenuItem("Delete subject");
        deleteItem.setOnAction(chosen -> delete.run());
        MenuButton menu = new MenuButton("⋯", null, deleteItem);
        menu.setId("subject-menu");
        menu.getStyleClass().addAll("flat", "small", "no-arrow");
        menu.setMinWidth(Region.USE_PREF_SIZE);
        menu.setAccessibleText("Actions for this subject");
        getChildren().addAll(name, classField, new LabeledFieldView("Trigger word", triggerWord), phrase, menu);
    }

    /// Focuses the class word field if it is empty.
    /// @return whether it was empty
    public boolean focusClassNameIfEmpty() {
        if (!classNameField.getText().isEmpty()) return false;
        classNameField.requestFocus();
        return true;
    }
}
