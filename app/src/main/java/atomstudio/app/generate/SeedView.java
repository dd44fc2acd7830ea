package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atlantafx.base.layout.InputGroup;
import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.ValueFieldView;
import atomstudio.app.generate.ImageSettings.Seeds;
import java.util.random.RandomGenerator;
import javafx.scene.control.Button;
import javafx.scene.control.ToggleButton;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The first seed, a new random one, and a lock that keeps it.
final class SeedView extends VBox {
    SeedView(GenerateViewModel model) {
        super(6);
        ValueFieldView<Long> seed = ValueFieldView.ofSeed(
                value -> model.updateSettings(now -> now.withSeeds(new Seeds(value, now.seeds().count()))));
        seed.setId("seed");
        seed.setAccessibleText(text("generate.seed"));
        HBox.setHgrow(seed, Priority.ALWAYS);
        model.settings().subscribe(now -> seed.showValue(now.seeds().first()));
        Button dice = new ActionButtonView("", () -> model.randomizeSeeds(RandomGenerator.getDefault()))
                .withId("random-seed");
        dice.setGraphic(new FontIcon(Feather.SHUFFLE));
        dice.setTooltip(new Tooltip(text("generate.seed.random")));
        dice.setAccessibleText(text("generate.seed.random"));
        ToggleButton lock = new ToggleButton();
        lock.setId("seed-lock");
        lock.selectedProperty().bindBidirectional(model.seedLocked());
        FontIcon icon = new FontIcon(Feather.UNLOCK);
        lock.setGraphic(icon);
        lock.setAccessibleText(text("generate.seed.lock"));
        lock.setTooltip(new Tooltip());
        lock.selectedProperty().subscribe(locked -> {
            icon.setIconCode(locked ? Feather.LOCK : Feather.UNLOCK);
            lock.getTooltip().setText(locked ? text("generate.seed.locked") : text("generate.seed.unlocked"));
        });
        getChildren().addAll(GeneratePanelView.title(text("generate.seed")), new InputGroup(seed, dice, lock));
    }
}
