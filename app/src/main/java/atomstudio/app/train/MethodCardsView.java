package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.tuning.method.MethodCategory;
import atomstudio.tuning.method.MethodName;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javafx.collections.ListChangeListener;
import javafx.scene.Node;
import javafx.scene.control.Label;
import javafx.scene.control.Menu;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.RadioButton;
import javafx.scene.control.ToggleGroup;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.VBox;
import javafx.scene.text.Text;

/// Three methods as cards with purpose and cost: the smallest file, the recommended one, and LoRA, which most programs
/// read. Another one that is chosen from the menu is a fourth card.
final class MethodCardsView extends VBox {
    private static final MethodName RECOMMENDED = MethodName.ATOMS_AND_WORD;
    static final List<MethodName> CARDS = List.of(MethodName.ATOMS, RECOMMENDED, MethodName.LORA);

    private static final double PURPOSE_WIDTH = 262;

    private final TrainViewModel model;
    private final ToggleGroup group = new ToggleGroup();
    private final Map<MethodName, RadioButton> cards = new EnumMap<>(MethodName.class);

    MethodCardsView(TrainViewModel model) {
        super(8);
        this.model = model;
        model.method().settings().subscribe(now -> showCards(now.choice()));
    }

    private void showCards(MethodName chosen) {
        List<MethodName> shown = new ArrayList<>(CARDS);
        if (!CARDS.contains(chosen)) shown.add(chosen);
        List<RadioButton> wanted = shown.stream().map(choice -> cards.computeIfAbsent(choice, this::card)).toList();
        if (!getChildren().equals(wanted)) getChildren().setAll(wanted);
        cards.get(chosen).setSelected(true);
    }

    /// The other methods by category.
    static MenuButton moreMethods(MethodViewModel model) {
        MenuButton menu = new MenuButton(text("train.more-methods"));
        menu.setId("more-methods");
        for (MethodCategory category : MethodCategory.values()) {
            Menu items = new Menu(category.displayName());
            for (MethodName method : category.methods()) {
                if (CARDS.contains(method)) continue;
                MenuItem item = new MenuItem(method.displayName());
                item.setId("choose-" + method.option());
                item.setMnemonicParsing(false);
                item.setOnAction(chosen -> model.choose(method));
                items.getItems().add(item);
            }
            if (!items.getItems().isEmpty()) menu.getItems().add(items);
        }
        return menu;
    }

    private RadioButton card(MethodName choice) {
        Label name = label(choice.displayName(), "method-name");
        name.setMinWidth(Region.USE_PREF_SIZE);
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox title = new HBox(8, name, gap);
        if (choice == RECOMMENDED) title.getChildren().add(label(text("train.recommended"), "recommended"));
        title.setMinWidth(PURPOSE_WIDTH);
        String reason = choice == RECOMMENDED ? text("train.recommended.reason") : choice.description();
        // Not a Label: a wrapping label computes no height inside a button.
        Text purpose = new Text(reason);
        purpose.getStyleClass().add("purpose");
        purpose.setWrappingWidth(PURPOSE_WIDTH);
        Label cost = label("", "cost");
        Label estimate = label("", "cost");
        VBox content = new VBox(2, title, purpose, cost, estimate);
        content.getStyleClass().add("method-text");
        RadioButton card = new RadioButton();
        card.setGraphic(content);
        card.setId("method-" + choice.option());
        card.getStyleClass().add("method");
        card.setMaxWidth(Double.MAX_VALUE);
        card.setToggleGroup(group);
        onCostChange(() -> {
            cost.setText(model.method()
                    .cost(choice)
                    .map(MethodCost::summary)
                    .orElse(model.method().problem().get().isEmpty() ? "…" : ""));
            estimate.setText(model.estimateText(choice));
            show(estimate, !estimate.getText().isEmpty());
            card.setAccessibleText(Stream.of(choice.displayName(), cost.getText(), estimate.getText(), reason)
                    .filter(part -> !part.isEmpty())
                    .collect(Collectors.joining(". ")));
        });
        card.selectedProperty().addListener((property, before, now) -> {
            if (now) model.method().choose(choice);
        });
        return card;
    }

    private void onCostChange(Runnable refresh) {
        model.method().costs().addListener((ListChangeListener<MethodCost>) change -> refresh.run());
        model.method().problem().subscribe(problem -> refresh.run());
        model.estimatesChanged().subscribe(now -> refresh.run());
    }

    private static void show(Node node, boolean visible) {
        node.setVisible(visible);
        node.setManaged(visible);
    }

    private static Label label(String text, String style) {
        Label label = new Label(text);
        label.getStyleClass().add(style);
        return label;
    }
}
