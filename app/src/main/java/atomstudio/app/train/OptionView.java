package atomstudio.app.train;

import atomstudio.app.controls.AutocompleteFieldView;
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

/// A setting: its title and a control for its value.
final class OptionView extends HBox {
    private static final PseudoClass INVALID = PseudoClass.getPseudoClass("invalid");
    private static final double FIELD_WIDTH = 118;

    enum ControlKind { TEXT, CHOICE, AUTOCOMPLETE, FLAG }

    /// @param option name on the command line
    /// @param values allowed values, the default first; empty: any text
    /// @param displayName title of a value
    record OptionSpec(String option, String title, String description, ControlKind kind, List<String> values,
            UnaryOperator<String> displayName) {}

    /// @param text the entered text; empty: the default
    /// @param defaultValue empty: depends on the model
    record OptionBinding(Supplier<String> text, Supplier<String> defaultValue, Consumer<String> setText) {}

    private final OptionSpec spec;
    private final OptionBinding value;
    private final Control control;

    OptionView(OptionSpec spec, OptionBinding value, String flagValue) {
        super(6);
        this.spec = spec;
        this.value = value;
        setAlignment(Pos.CENTER_LEFT);
        getStyleClass().add("option");
        control = switch (spec.kind) {
            case TEXT -> bindText(new TextField());
            case AUTOCOMPLETE -> bindText(new AutocompleteFieldView(spec::values));
            case CHOICE -> choiceBox();
            case FLAG -> checkBox(flagValue);
        };
        control.setId("option-" + spec.option);
        control.setAccessibleText(spec.title + ": " + spec.description);
        control.setTooltip(tooltip(spec.description));
        if (spec.kind == ControlKind.FLAG) getChildren().add(control);
        else getChildren().addAll(label(spec.title), spacer(), control);
        refresh();
    }

    /// Adds a node after the control.
    void addTrailing(Node node) {
        getChildren().add(node);
        control.setPrefWidth(FIELD_WIDTH - 34);
    }

    private Label label(String title) {
        Label label = new Label(title);
        label.getStyleClass().add("muted");
        label.setLabelFor(control);
        label.setMinWidth(Region.USE_PREF_SIZE);
        label.setTooltip(tooltip(spec.description));
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
        box.getItems().setAll(spec.values);
        box.setPrefWidth(FIELD_WIDTH);
        box.setConverter(new StringConverter<>() {
            @Override
            public String toString(String name) {
                return name == null ? "" : spec.displayName.apply(name);
            }

            @Override
            public String fromString(String shown) {
                return spec.values.stream()
                        .filter(name -> spec.displayName.apply(name).equals(shown))
                        .findFirst()
                        .orElse("");
            }
        });
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) value.setText.accept(now.equals(value.defaultValue.get()) ? "" : now);
        });
        return box;
    }

    private CheckBox checkBox(String flagValue) {
        CheckBox box = new CheckBox(spec.title);
        box.selectedProperty().addListener((property, before, now) -> value.setText.accept(now ? flagValue : ""));
        return box;
    }

    /// Shows the current value.
    @SuppressWarnings("unchecked")
    void refresh() {
        String text = value.text.get();
        String defaultValue = value.defaultValue.get();
        switch (control) {
            case CheckBox box -> box.setSelected(!text.isEmpty());
            case ChoiceBox<?> box -> ((ChoiceBox<String>) box).setValue(text.isEmpty() ? defaultValue : text);
            case TextField field -> {
                field.setPromptText(defaultValue.isEmpty() ? "model default" : defaultValue);
                if (!text.equals(field.getText().strip())) field.setText(text);
            }
            default -> throw new IllegalStateException("unexpected control: " + control);
        }
    }

    /// Marks the control if an error message starts with its option name.
    void markInvalid(String message) {
        control.pseudoClassStateChanged(INVALID, message.startsWith(spec.option + ":"));
    }
}
