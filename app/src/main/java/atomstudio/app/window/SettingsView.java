package atomstudio.app.window;

import atomstudio.app.desktop.Settings;
import atomstudio.app.jobs.Safety;
import atomstudio.app.parts.CardView;
import java.util.Optional;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.scene.control.Label;
import javafx.scene.control.ToggleButton;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// Light or dark, safety, and where the files are.
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
        getChildren().addAll(title, look, previews(model), safety(model), files);
    }

    private static CardView previews(WindowViewModel model) {
        CardView card = new CardView("Pictures while they are made");
        Label how = new Label();
        how.setWrapText(true);
        how.getStyleClass().add("muted");
        how.textProperty().bind(model.preview().map(file -> file.map(path -> "They are seen through " + path + ".")
            .orElse("A small model shows them itself; a large one's colours are guessed from its latents. A TAESD decoder for Stable Diffusion 1.x and 2.x shows more.")));
        Button choose = new Button("Choose a decoder…");
        choose.setId("choose-preview");
        choose.setOnAction(pressed -> model.choosePreview());
        Button none = new Button("Without");
        none.setOnAction(pressed -> model.preview(Optional.empty()));
        none.visibleProperty().bind(model.preview().map(Optional::isPresent));
        card.add(how, new HBox(8, choose, none));
        return card;
    }

    private static CardView safety(WindowViewModel model) {
        CheckBox checker = new CheckBox("Heed the safety checker of models that bring one");
        checker.setId("safety");
        checker.setSelected(model.safety().get() == Safety.ON);
        checker.selectedProperty().subscribe(on -> {
            if ((model.safety().get() == Safety.ON) != on) model.heed(on ? Safety.ON : Safety.OFF);
        });
        Label black = new Label("Pictures that it takes for unsafe are black.");
        black.getStyleClass().add("muted");
        CardView card = new CardView("Safety");
        card.add(checker, black);
        return card;
    }
}
