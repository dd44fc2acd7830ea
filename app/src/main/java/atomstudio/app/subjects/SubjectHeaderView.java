package atomstudio.app.subjects;

import atomstudio.app.controls.AutocompleteFieldView;
import atomstudio.app.controls.LabeledFieldView;
import atomstudio.app.dataset.Subject;
import java.util.List;
import java.util.function.Supplier;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Region;

/// The subject's name, its class word and token.
public final class SubjectHeaderView extends HBox {
    private static final PseudoClass HIGHLIGHTED = PseudoClass.getPseudoClass("asked");

    private final AutocompleteFieldView classNameField;

    /// @param suggestions suggestions for the class word: what the model knows
    public SubjectHeaderView(SubjectViewModel model, Supplier<List<String>> suggestions) {
        super(12);
        getStyleClass().add("subject-head");
        setAlignment(Pos.CENTER_LEFT);
        Label name = new Label();
        name.textProperty().bind(model.subject().map(Subject::title));
        name.getStyleClass().add("page-title");
        name.setMinWidth(Region.USE_PREF_SIZE);

        classNameField = new AutocompleteFieldView(suggestions);
        classNameField.setId("class-word");
        classNameField.setPromptText("what is it? car, dog…");
        classNameField.setPrefColumnCount(9);
        classNameField.setText(model.subject().get().className());
        classNameField.textProperty().addListener((property, before, now) -> model.setClassName(now));
        classNameField
                .setTooltip(new Tooltip("A common word for the thing. The model starts from what it knows of it."));
        LabeledFieldView classField = new LabeledFieldView("class", classNameField);
        model.subject()
                .subscribe(subject -> classField.pseudoClassStateChanged(HIGHLIGHTED, subject.className().isEmpty()));

        TextField triggerWord = new TextField(model.subject().get().triggerWord());
        triggerWord.setId("token");
        triggerWord.setPrefColumnCount(4);
        triggerWord.textProperty().addListener((property, before, now) -> model.setTriggerWord(now));
        triggerWord.setTooltip(
                new Tooltip("A rare word that stands for this very thing. Keep “sks” unless you have a reason."));

        Label phrase = new Label();
        phrase.getStyleClass().add("muted");
        phrase.textProperty()
                .bind(model.subject()
                        .map(subject -> subject.className().isEmpty() ? "say what it is, then Start"
                                : "trained on “a " + subject.promptPhrase() + "”"));
        getChildren().addAll(name, classField, new LabeledFieldView("token", triggerWord), phrase);
    }

    /// Puts the cursor where the one question of the page is asked, if it is not answered yet.
    /// @return whether there was something to ask
    public boolean focusClassNameIfEmpty() {
        if (!classNameField.getText().isEmpty()) return false;
        classNameField.requestFocus();
        return true;
    }
}
