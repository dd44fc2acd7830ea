package atomstudio.app.window;

import atomstudio.app.desktop.Settings;
import atomstudio.app.parts.CardView;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.ToggleButton;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Light or dark, and where the files are.
final class SettingsView extends VBox {
    SettingsView(WindowViewModel model) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label("Settings");
        title.getStyleClass().add("page-title");
        ToggleButton dark = new ToggleButton();
        dark.textProperty().bind(model.theme().map(theme -> theme == Settings.Theme.DARK ? "Dark" : "Light"));
        dark.setSelected(model.theme().get() == Settings.Theme.DARK);
        dark.setOnAction(pressed -> model.toggleTheme());
        CardView look = new CardView("Look");
        look.add(new HBox(dark));
        CardView files = new CardView("Files");
        Label where = new Label("Subjects, runs and settings are kept in " + model.home() + ". The variable ATOMSTUDIO_HOME moves them.");
        where.setWrapText(true);
        where.getStyleClass().add("muted");
        Button show = new Button("Show in file manager");
        show.setOnAction(pressed -> model.showFiles());
        files.add(where, show);
        getChildren().addAll(title, look, files);
    }
}
