package atomstudio.app.train;

import atomstudio.app.controls.ExpanderView;
import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import java.util.List;
import java.util.stream.Stream;
import javafx.beans.value.ObservableValue;
import javafx.collections.ListChangeListener;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.RadioButton;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.ToggleGroup;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import javafx.scene.text.Text;

/// The tuning methods with purpose and cost: common ones first, the others by category in an expander.
final class MethodListView extends VBox {
    static final List<MethodName> COMMON_METHODS = List.of(MethodName.ATOMS_AND_WORD, MethodName.ATOMS_AND_CHANNELS,
            MethodName.LORA);

    private static final double PURPOSE_WIDTH = 216;

    private final MethodViewModel model;
    private final ToggleGroup group = new ToggleGroup();

    MethodListView(MethodViewModel model) {
        super(6);
        this.model = model;
        VBox more = new VBox(6);
        for (MethodCategory kind : MethodCategory.values()) {
            List<MethodName> choices = kind.methods()
                    .stream()
                    .filter(choice -> !COMMON_METHODS.contains(choice))
                    .toList();
            if (choices.isEmpty()) continue;
            Label title = new Label(kind.displayName());
            title.getStyleClass().add("group-title");
            more.getChildren().add(title);
            more.getChildren().addAll(methodButtons(choices));
        }
        ObservableValue<String> chosen = model.settings()
                .map(now -> COMMON_METHODS.contains(now.choice()) ? "" : now.displayName());
        ToggleButton expander = new ExpanderView("more-methods", "More methods", chosen, more);
        getChildren().addAll(methodButtons(COMMON_METHODS));
        getChildren().addAll(expander, more);
    }

    private Node[] methodButtons(List<MethodName> choices) {
        return choices.stream().map(this::methodButton).toArray(Node[]::new);
    }

    private RadioButton methodButton(MethodName choice) {
        Label name = label(choice.displayName(), "method-name");
        name.setMinWidth(Region.USE_PREF_SIZE);
        Label cost = label("", "muted");
        // Not a Label: a wrapping label computes no height inside a button.
        Text purpose = new Text(choice.description());
        purpose.getStyleClass().add("purpose");
        purpose.setWrappingWidth(PURPOSE_WIDTH);
        VBox text = new VBox(1, name, cost, purpose);
        text.getStyleClass().add("method-text");
        RadioButton row = new RadioButton();
        row.setGraphic(text);
        row.setId("method-" + choice.option());
        row.getStyleClass().add("method");
        row.setMaxWidth(Double.MAX_VALUE);
        row.setToggleGroup(group);
        Runnable refresh = () -> {
            cost.setText(
                    model.cost(choice).map(MethodCost::summary).orElse(model.problem().get().isEmpty() ? "…" : ""));
            row.setAccessibleText(Stream.of(choice.displayName(), cost.getText(), choice.description())
                    .filter(part -> !part.isEmpty())
                    .reduce((a, b) -> a + ". " + b)
                    .orElseThrow());
        };
        model.costs().addListener((ListChangeListener<MethodCost>) change -> refresh.run());
        model.problem().subscribe(problem -> refresh.run());
        model.settings().subscribe(now -> row.setSelected(now.choice() == choice));
        row.selectedProperty().addListener((property, before, now) -> {
            if (now) model.choose(choice);
        });
        return row;
    }

    private static Label label(String text, String style) {
        Label label = new Label(text);
        label.getStyleClass().add(style);
        return label;
    }
}
