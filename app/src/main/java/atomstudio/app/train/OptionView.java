package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.AutocompleteFieldView;
import atomstudio.tuning.setting.Setting;
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

    /// @param text the entered text; empty: the default
    /// @param defaultValue empty: depends on the model
    record OptionBinding(Supplier<String> text, Supplier<String> defaultValue, Consumer<String> setText) {}

    private final Setting setting;
    private final OptionBinding value;
    private final UnaryOperator<String> displayName;
    private final Control control;

    OptionView(Setting setting, OptionBinding value) {
        this(setting, value, UnaryOperator.identity());
    }

    /// @param displayName title of a value
    OptionView(Setting setting, OptionBinding value, UnaryOperator<String> displayName) {
        super(6);
        this.setting = setting;
        this.value = value;
        this.displayName = displayName;
        setAlignment(Pos.CENTER_LEFT);
        getStyleClass().add("option");
        control = switch (setting.row().type().kind()) {
            case TEXT, ITEMS -> bindText(new TextField());
            case LIST -> bindText(new AutocompleteFieldView(setting::allowedValues));
            case CHOICE -> choiceBox();
            case FLAG -> checkBox();
        };
        control.setId("option-" + setting.option());
        control.setAccessibleText(setting.titleWithUnit() + ": " + setting.description());
        control.setTooltip(tooltip(setting.description()));
        if (setting.isFlag()) getChildren().add(control);
        else getChildren().addAll(label(setting.titleWithUnit()), spacer(), control);
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
        label.setTooltip(tooltip(setting.description()));
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
        box.getItems().setAll(setting.allowedValues());
        box.setPrefWidth(FIELD_WIDTH);
        box.setConverter(new StringConverter<>() {
            @Override
            public String toString(String name) {
                return name == null ? "" : displayName.apply(name);
            }

            @Override
            public String fromString(String shown) {
                return setting.allowedValues()
                        .stream()
                        .filter(name -> displayName.apply(name).equals(shown))
                        .findFirst()
                        .orElse("");
            }
        });
        box.valueProperty().addListener((property, before, now) -> {
            if (now != null) value.setText.accept(now.equals(value.defaultValue.get()) ? "" : now);
        });
        return box;
    }

    private CheckBox checkBox() {
        CheckBox box = new CheckBox(setting.title());
        box.selectedProperty().addListener((property, before, now) -> {
            String text = now ? Setting.YES : Setting.NO;
            value.setText.accept(text.equals(flagDefault()) ? "" : text);
        });
        return box;
    }

    /// A preset may switch it on.
    private String flagDefault() {
        return value.defaultValue.get().equals(Setting.YES) ? Setting.YES : Setting.NO;
    }

    /// Shows the current value.
    @SuppressWarnings("unchecked")
    void refresh() {
        String text = value.text.get();
        String defaultValue = value.defaultValue.get();
        switch (control) {
            case CheckBox box -> box.setSelected((text.isEmpty() ? flagDefault() : text).equals(Setting.YES));
            case ChoiceBox<?> box -> ((ChoiceBox<String>) box).setValue(text.isEmpty() ? defaultValue : text);
            case TextField field -> {
                field.setPromptText(defaultValue.isEmpty() ? text("train.model-default") : defaultValue);
                if (!text.equals(field.getText().strip())) field.setText(text);
            }
            default -> throw new IllegalStateException("unexpected control: " + control);
        }
    }

    /// Marks the control if an error message starts with its option name.
    void markInvalid(String message) {
        control.pseudoClassStateChanged(INVALID, message.startsWith(setting.option() + ":"));
    }
}
