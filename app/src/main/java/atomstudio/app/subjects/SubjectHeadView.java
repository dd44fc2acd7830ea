package atomstudio.app.subjects;

import atomstudio.app.parts.AutocompleteFieldView;
import atomstudio.app.parts.LabeledFieldView;
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
public final class SubjectHeadView extends HBox {
    private static final PseudoClass ASKED = PseudoClass.getPseudoClass("asked");

    private final AutocompleteFieldView classWord;

    /// @param words suggestions for the class word: what the model knows
    public SubjectHeadView(SubjectViewModel model, Supplier<List<String>> words) {
        super(12);
        getStyleClass().add("subject-head");
        setAlignment(Pos.CENTER_LEFT);
        Label name = new Label();
        name.textProperty().bind(model.subject().map(Subject::title));
        name.getStyleClass().add("page-title");
        name.setMinWidth(Region.USE_PREF_SIZE);

        classWord = new AutocompleteFieldView(words);
        classWord.setId("class-word");
        classWord.setPromptText("what is it? car, dog…");
        classWord.setPrefColumnCount(9);
        classWord.setText(model.subject().get().className());
        classWord.textProperty().addListener((property, before, now) -> model.classWord(now));
        classWord.setTooltip(new Tooltip("A common word for the thing. The model starts from what it knows of it."));
        LabeledFieldView classField = new LabeledFieldView("class", classWord);
        model.subject().subscribe(subject -> classField.pseudoClassStateChanged(ASKED, subject.className().isEmpty()));

        TextField token = new TextField(model.subject().get().token());
        token.setId("token");
        token.setPrefColumnCount(4);
        token.textProperty().addListener((property, before, now) -> model.token(now));
        token.setTooltip(new Tooltip("A rare word that stands for this very thing. Keep “sks” unless you have a reason."));

        Label phrase = new Label();
        phrase.getStyleClass().add("muted");
        phrase.textProperty().bind(model.subject().map(subject -> subject.className().isEmpty() ? "say what it is, then Start" : "trained on “a " + subject.phrase() + "”"));
        getChildren().addAll(name, classField, new LabeledFieldView("token", token), phrase);
    }

    /// Puts the cursor where the one question of the page is asked, if it is not answered yet.
    /// @return whether there was something to ask
    public boolean ask() {
        if (!classWord.getText().isEmpty()) return false;
        classWord.requestFocus();
        return true;
    }
}
