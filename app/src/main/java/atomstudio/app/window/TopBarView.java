package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import javafx.animation.Animation;
import javafx.animation.KeyFrame;
import javafx.animation.Timeline;
import javafx.collections.ListChangeListener;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.MenuButton;
import javafx.scene.control.MenuItem;
import javafx.scene.control.SeparatorMenuItem;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.util.Duration;
import org.kordamp.ikonli.feather.Feather;
import org.kordamp.ikonli.javafx.FontIcon;

/// The bar at the top: model menu, system information and theme button.
final class TopBarView extends HBox {
    TopBarView(WindowViewModel model) {
        super(12);
        getStyleClass().add("top-bar");
        setAlignment(Pos.CENTER_LEFT);
        Label name = new Label(text("window.atom-studio-2"));
        name.getStyleClass().add("app-name");
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        Label systemInfo = new Label();
        systemInfo.getStyleClass().add("chip-label");
        systemInfo.textProperty().bind(model.status().systemInfo());
        systemInfo.visibleProperty().bind(model.status().systemInfo().isNotEmpty());
        Button theme = new Button();
        theme.setId("theme");
        theme.getStyleClass().add("theme-button");
        FontIcon icon = new FontIcon();
        icon.iconCodeProperty().bind(model.settings().dark().map(dark -> dark ? Feather.SUN : Feather.MOON));
        theme.setGraphic(icon);
        theme.setTooltip(new Tooltip(text("window.switch-between-light-and-dark-theme")));
        theme.setAccessibleText(text("window.switch-between-light-and-dark-theme"));
        theme.setOnAction(pressed -> model.settings().toggleTheme());
        getChildren().addAll(name, modelMenu(model), gap, systemInfo, theme);
        RepeatWhileShown.every(Duration.seconds(5), this, model.status()::refreshSystemInfo);
    }

    private static MenuButton modelMenu(WindowViewModel window) {
        ModelsViewModel models = window.models();
        MenuButton menu = new MenuButton();
        menu.setId("model-menu");
        menu.setMnemonicParsing(false);
        menu.textProperty()
                .bind(models.current()
                        .map(ModelSummary::title)
                        .map(title -> text("window.model", title))
                        .orElse(text("window.no-model")));
        Runnable refresh = () -> {
            menu.getItems().setAll(models.known().stream().map(summary -> {
                MenuItem item = new MenuItem(summary.title());
                item.setMnemonicParsing(false);
                item.setOnAction(chosen -> models.select(summary));
                return item;
            }).toList());
            menu.getItems()
                    .addAll(new SeparatorMenuItem(),
                            openItem(text("window.open-model-folder"), window, models::chooseFolder),
                            openItem(text("window.open-model-file"), window, models::chooseFile));
        };
        models.known().addListener((ListChangeListener<ModelSummary>) change -> refresh.run());
        refresh.run();
        return menu;
    }

    /// Opens the Models page, which shows progress and errors, and runs an action.
    private static MenuItem openItem(String text, WindowViewModel window, Runnable action) {
        MenuItem item = new MenuItem(text);
        item.setOnAction(chosen -> {
            window.openModels();
            action.run();
        });
        return item;
    }

    /// Runs an action periodically while a node is in a scene.
    static final class RepeatWhileShown {
        private RepeatWhileShown() {}

        static void every(Duration period, Node node, Runnable action) {
            Timeline timeline = new Timeline(new KeyFrame(period, tick -> action.run()));
            timeline.setCycleCount(Animation.INDEFINITE);
            node.sceneProperty().subscribe(scene -> {
                if (scene == null) timeline.stop();
                else timeline.play();
            });
        }
    }
}
