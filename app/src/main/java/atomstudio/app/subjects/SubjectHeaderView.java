package atomstudio.app.subjects;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.AutocompleteFieldView;
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
import javafx.scene.input.KeyCode;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;

/// The subject's name, and a sentence with its class word and trigger word.
public final class SubjectHeaderView extends HBox {
    private static final PseudoClass REQUIRED = PseudoClass.getPseudoClass("required");

    private final AutocompleteFieldView classNameField;

    /// @param suggestions class words that the model draws
    /// @param delete      deletes the subject
    public SubjectHeaderView(SubjectViewModel model, Supplier<List<String>> suggestions, Runnable delete) {
        super(10);
        getStyleClass().add("subject-head");
        setAlignment(Pos.CENTER_LEFT);
        Label name = new Label();
        name.textProperty().bind(model.subject().map(Subject::title));
        name.getStyleClass().add("page-title");
        name.setMinWidth(Region.USE_PREF_SIZE);

        classNameField = new AutocompleteFieldView(suggestions);
        classNameField.setId("class-word");
        classNameField.setPromptText(text("subjects.class-word.example"));
        classNameField.setPrefColumnCount(9);
        classNameField.setText(model.subject().get().className());
        classNameField.textProperty().addListener((property, before, now) -> model.setClassName(now));
        classNameField
                .setTooltip(new Tooltip(
                        text("subjects.class-word.help")));
        classNameField.setAccessibleText(text("subjects.class-word"));
        model.subject()
                .subscribe(subject -> classNameField
                        .pseudoClassStateChanged(REQUIRED, subject.className().isEmpty()));

        TextField triggerWord = new TextField(model.subject().get().triggerWord());
        triggerWord.setId("trigger-word");
        triggerWord.setPrefColumnCount(4);
        triggerWord.textProperty().addListener((property, before, now) -> model.setTriggerWord(now));
        triggerWord.setTooltip(
                new Tooltip(
                        text("subjects.trigger-word.help")));

        triggerWord.setAccessibleText(text("subjects.trigger-word"));
        Label missing = muted("");
        missing.textProperty()
                .bind(model.subject()
                        .map(subject -> subject.className().isEmpty() ? text("subjects.class-word.missing") : ""));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        TextField newName = nameField(model, name);
        getChildren().addAll(name, newName, muted(text("subjects.this-is-a")), classNameField,
                muted(text("subjects.called")),
                triggerWord, missing, gap,
                menu(model, newName, delete));
    }

    private static MenuButton menu(SubjectViewModel model, TextField newName, Runnable delete) {
        MenuItem renameItem = new MenuItem(text("subjects.rename"));
        renameItem.setOnAction(chosen -> {
            newName.setText(model.subject().get().title());
            newName.setVisible(true);
            newName.requestFocus();
            newName.selectAll();
        });
        MenuItem deleteItem = new MenuItem(text("subjects.delete"));
        deleteItem.setOnAction(chosen -> delete.run());
        MenuButton menu = new MenuButton("⋯", null, renameItem, deleteItem);
        menu.setId("subject-menu");
        menu.getStyleClass().addAll("flat", "small", "no-arrow");
        menu.setMinWidth(Region.USE_PREF_SIZE);
        menu.setAccessibleText(text("subjects.actions"));
        return menu;
    }

    /// Takes the place of the name while it is edited: Enter and leaving the field commit, Escape takes back.
    private static TextField nameField(SubjectViewModel model, Label name) {
        TextField field = new TextField();
        field.setId("subject-name");
        field.setPrefColumnCount(12);
        field.setAccessibleText(text("subjects.name"));
        field.setVisible(false);
        field.managedProperty().bind(field.visibleProperty());
        name.visibleProperty().bind(field.visibleProperty().not());
        name.managedProperty().bind(name.visibleProperty());
        Runnable commit = () -> {
            if (!field.isVisible()) return;
            field.setVisible(false);
            if (!field.getText().strip().equals(model.subject().get().title())) model.rename(field.getText());
        };
        field.setOnAction(entered -> commit.run());
        field.focusedProperty().subscribe(focused -> {
            if (!focused) commit.run();
        });
        field.setOnKeyPressed(key -> {
            if (key.getCode() == KeyCode.ESCAPE) field.setVisible(false);
        });
        return field;
    }

    private static Label muted(String text) {
        Label label = new Label(text);
        label.getStyleClass().add("muted");
        label.setMinWidth(Region.USE_PREF_SIZE);
        return label;
    }

    /// Focuses the class word field if it is empty.
    /// @return whether it was empty
    public boolean focusClassNameIfEmpty() {
        if (!classNameField.getText().isEmpty()) return false;
        classNameField.requestFocus();
        return true;
    }
}
