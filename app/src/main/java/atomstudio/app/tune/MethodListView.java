package atomstudio.app.tune;

import atomstudio.tuning.method.MethodKind;
import atomstudio.tuning.method.MethodSettings.Choice;
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

/// Every method with what it is for and what it costs: a few at once, all others by their kinds when they are asked for.
final class MethodListView extends VBox {
    static final List<Choice> OFFERED = List.of(Choice.ATOMS_AND_WORD, Choice.ATOMS_AND_CHANNELS, Choice.LORA);

    private static final double WIDTH = 216;

    private final MethodViewModel model;
    private final ToggleGroup group = new ToggleGroup();

    MethodListView(MethodViewModel model) {
        super(6);
        this.model = model;
        VBox more = new VBox(6);
        for (MethodKind kind : MethodKind.values()) {
            List<Choice> choices = kind.choices().stream().filter(choice -> !OFFERED.contains(choice)).toList();
            if (choices.isEmpty()) continue;
            Label title = new Label(kind.display());
            title.getStyleClass().add("group-title");
            more.getChildren().add(title);
            more.getChildren().addAll(rows(choices));
        }
        ObservableValue<String> chosen = model.settings().map(now -> OFFERED.contains(now.choice()) ? "" : now.displayName());
        ToggleButton fold = new FoldView("more-methods", "more methods", chosen, more);
        getChildren().addAll(rows(OFFERED));
        getChildren().addAll(fold, more);
    }

    private Node[] rows(List<Choice> choices) {
        return choices.stream().map(this::row).toArray(Node[]::new);
    }

    private RadioButton row(Choice choice) {
        Label name = label(choice.display(), "method-name");
        name.setMinWidth(Region.USE_PREF_SIZE);
        Label price = label("", "muted");
        // Not a label: one that wraps has no height of its own inside a button.
        Text purpose = new Text(MethodKind.purpose(choice));
        purpose.getStyleClass().add("purpose");
        purpose.setWrappingWidth(WIDTH);
        VBox text = new VBox(1, name, price, purpose);
        text.getStyleClass().add("method-text");
        RadioButton row = new RadioButton();
        row.setGraphic(text);
        row.setId("method-" + choice.command());
        row.getStyleClass().add("method");
        row.setMaxWidth(Double.MAX_VALUE);
        row.setToggleGroup(group);
        Runnable show = () -> {
            price.setText(model.cost(choice).map(MethodCost::line).orElse(model.problem().get().isEmpty() ? "…" : ""));
            row.setAccessibleText(Stream.of(choice.display(), price.getText(), MethodKind.purpose(choice)).filter(part -> !part.isEmpty()).reduce((a, b) -> a + ". " + b).orElseThrow());
        };
        model.costs().addListener((ListChangeListener<MethodCost>) change -> show.run());
        model.problem().subscribe(problem -> show.run());
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
