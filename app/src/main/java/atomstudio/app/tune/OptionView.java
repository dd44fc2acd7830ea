package atomstudio.app.tune;

import atomstudio.app.parts.AutocompleteFieldView;
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
    private static final PseudoClass WRONG = PseudoClass.getPseudoClass("wrong");
    private static final double FIELD = 118;

    /// What sort of control: any text, one of the names, a list made of the names, or asked for or not.
    enum Kind { TEXT, ONE_OF, SUGGESTED, FLAG }

    /// @param command its name on the command line
    /// @param names   what it can be, the usual one first
    /// @param show    a name as people read it
    record Option(String command, String description, Kind kind, List<String> names, UnaryOperator<String> show) {
        Option(String command, String description, Kind kind, List<String> names) {
            this(command, description, kind, names, UnaryOperator.identity());
        }
    }

    /// @param text  what is typed; empty: as usual
    /// @param usual what it is then; empty where the model decides
    record Value(Supplier<String> text, Supplier<String> usual, Consumer<String> type) {}

    private final Option option;
    private final Value value;
    private final Control control;

    OptionView(Option option, Value value, String yes) {
        super(6);
        this.option = option;
        this.value = value;
        setAlignment(Pos.CENTER_LEFT);
        getStyleClass().add("option");
        String name = TuneOrder.Chosen.words(option.command);
        control = switch (option.kind) {
            case TEXT -> typed(new TextField());
            case SUGGESTED -> typed(new AutocompleteFieldView(option::names));
            case ONE_OF -> oneOf();
            case FLAG -> flag(name, yes);
        };
        control.setId("option-" + option.command);
        control.setAccessibleText(name + ": " + option.description);
        control.setTooltip(tooltip(option.description));
        if (option.kind == Kind.FLAG) getChildren().add(control);
        else getChildren().addAll(label(name), gap(), control);
        refresh();
    }

    /// Puts something else beside the control.
    void beside(Node node) {
        getChildren().add(node);
        control.setPrefWidth(FIELD - 34);
    }

    private Label label(String name) {
        Label label = new Label(name);
        label.getStyleClass().add("muted");
        label.setLabelFor(control);
        label.setMinWidth(Region.USE_PREF_SIZE);
        label.setTooltip(tooltip(option.description));
        return label;
    }

    private static Region gap() {
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

    private TextField typed(TextField field) {
        field.setPrefWidth(FIELD);
        field.textProperty().addListener((property, before, now) -> value.type.accept(now));
        return field;
    }

    private ChoiceBox<String> oneOf() {
        ChoiceBox<String> box = new ChoiceBox<>();
        box.getItems().setAll(option.names);
        box.setPrefWidth(FIELD);
        box.setConverter(new StringConverter<>() {
            @Override public String toString(String name) {
                return name == null ? "" : option.show.apply(name);
            }

            @Override public String fromString(String shown) {
                return option.names.stream().filter(name -> option.show.apply(name).equals(shown)).findFirst().orElse("");
            }
        });
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) value.type.accept(now.equals(value.usual.get()) ? "" : now);
        });
        return box;
    }

    private CheckBox flag(String name, String yes) {
        CheckBox box = new CheckBox(option.show.apply(name));
        box.selectedProperty().addListener((property, before, now) -> value.type.accept(now ? yes : ""));
        return box;
    }

    /// Shows what is chosen now, which may have come from elsewhere.
    @SuppressWarnings("unchecked")
    void refresh() {
        String text = value.text.get();
        String usual = value.usual.get();
        switch (control) {
            case CheckBox box -> box.setSelected(!text.isEmpty());
            case ChoiceBox<?> box -> ((ChoiceBox<String>) box).setValue(text.isEmpty() ? usual : text);
            case TextField field -> {
                field.setPromptText(usual.isEmpty() ? "as the model" : usual);
                if (!text.equals(field.getText().strip())) field.setText(text);
            }
            default -> throw new IllegalStateException("no such control: " + control);
        }
    }

    /// Marks the control when what is wrong begins with its name.
    void blame(String wrong) {
        control.pseudoClassStateChanged(WRONG, wrong.startsWith(option.command + ":"));
    }
}
