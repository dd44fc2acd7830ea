package atomstudio.app.train;

import atomstudio.app.controls.AutocompleteFieldView;
import atomstudio.app.process.RunSpec;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import javafx.css.PseudoClass;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.CheckBox;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Control;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.util.StringConverter;

/// A setting as the family describes it: its name, and a control that fits what it can be.
final class OptionView extends HBox {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("wrong");
    private static final double FIELD_WIDTH = 118;

    /// What sort of control: any text, one of the names, a list made of the names, or asked for or not.
    enum ControlKind { TEXT, CHOICE, AUTOCOMPLETE, FLAG }

    /// @param command its name on the command line
    /// @param names   what it can be, the usual one first
    /// @param displayName    a name as people read it
    record OptionSpec(String command, String description, ControlKind kind, List<String> names,
            UnaryOperator<String> displayName) {
        OptionSpec(String command, String description, ControlKind kind, List<String> names) {
            this(command, description, kind, names, UnaryOperator.identity());
        }
    }

    /// @param text  what is typed; empty: as usual
    /// @param defaultValue what it is then; empty where the model decides
    record OptionBinding(Supplier<String> text, Supplier<String> defaultValue, Consumer<String> setText) {}

    private final OptionSpec option;
    private final OptionBinding value;
    private final Control control;

    OptionView(OptionSpec option, OptionBinding value, String flagValue) {
        super(6);
        this.option = option;
        this.value = value;
        setAlignment(Pos.CENTER_LEFT);
        getStyleClass().add("option");
        String name = RunSpec.TrainingChoices.displayName(option.command);
        control = switch (option.kind) {
            case TEXT -> bindText(new TextField());
            case AUTOCOMPLETE -> bindText(new AutocompleteFieldView(option::names));
            case CHOICE -> choiceBox();
            case FLAG -> checkBox(name, flagValue);
        };
        control.setId("option-" + option.command);
        control.setAccessibleText(name + ": " + option.description);
        control.setTooltip(tooltip(option.description));
        if (option.kind == ControlKind.FLAG) getChildren().add(control);
        else getChildren().addAll(label(name), spacer(), control);
        refresh();
    }

    /// Puts something else beside the control.
    void addTrailing(Node node) {
        getChildren().add(node);
        control.setPrefWidth(FIELD_WIDTH - 34);
    }

    private Label label(String name) {
        Label label = new Label(name);
        label.getStyleClass().add("muted");
        label.setLabelFor(control);
        label.setMinWidth(Region.USE_PREF_SIZE);
        label.setTooltip(tooltip(option.description));
        return label;
    }

    private static Region spacer() {
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        return gap;
    }

    private static Tooltip tooltip(String text) {
        Tooltip tooltip = new Tooltip(text);
        tooltip.setWrapText(true);
        tooltip.setMaxWidth(320);
        return tooltip;
    }

    private TextField bindText(TextField field) {
        field.setPrefWidth(FIELD_WIDTH);
        field.textProperty().addListener((property, before, now) -> value.setText.accept(now));
        return field;
    }

    private ChoiceBox<String> choiceBox() {
        ChoiceBox<String> box = new ChoiceBox<>();
        box.getItems().setAll(option.names);
        box.setPrefWidth(FIELD_WIDTH);
        box.setConverter(new StringConverter<>() {
            @Override
            public String toString(String name) {
                return name == null ? "" : option.displayName.apply(name);
            }

            @Override
            public String fromString(String shown) {
                return option.names.stream()
                        .filter(name -> option.displayName.apply(name).equals(shown))
                        .findFirst()
                        .orElse("");
            }
        });
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) value.setText.accept(now.equals(value.defaultValue.get()) ? "" : now);
        });
        return box;
    }

    private CheckBox checkBox(String name, String flagValue) {
        CheckBox box = new CheckBox(option.displayName.apply(name));
        box.selectedProperty().addListener((property, before, now) -> value.setText.accept(now ? flagValue : ""));
        return box;
    }

    /// Shows what is chosen now, which may have come from elsewhere.
    @SuppressWarnings("unchecked")
    void refresh() {
        String text = value.text.get();
        String defaultValue = value.defaultValue.get();
        switch (control) {
            case CheckBox box -> box.setSelected(!text.isEmpty());
            case ChoiceBox<?> box -> ((ChoiceBox<String>) box).setValue(text.isEmpty() ? defaultValue : text);
            case TextField field -> {
                field.setPromptText(defaultValue.isEmpty() ? "as the model" : defaultValue);
                if (!text.equals(field.getText().strip())) field.setText(text);
            }
            default -> throw new IllegalStateException("no such control: " + control);
        }
    }

    /// Marks the control when what is wrong begins with its name.
    void markInvalid(String message) {
        control.pseudoClassStateChanged(INVALID, message.startsWith(option.command + ":"));
    }
}
