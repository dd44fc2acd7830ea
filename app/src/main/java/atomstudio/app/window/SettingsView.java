package atomstudio.app.window;

import atomstudio.app.desktop.AppSettings;
import atomstudio.app.jobs.EngineName;
import atomstudio.app.jobs.SafetyFilter;
import atomstudio.app.parts.CardView;
import atomstudio.app.parts.TitleConverter;
import java.util.Optional;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Label;
import javafx.scene.control.ScrollPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// Light or dark, how pictures are made and shown, safety, and where the files are.
final class SettingsView extends VBox {
    SettingsView(WindowViewModel model) {
        super(12);
        getStyleClass().add("plain-page");
        PreferencesViewModel wishes = model.preferences();
        Label title = new Label("Settings");
        title.getStyleClass().add("page-title");
        CheckBox dark = new CheckBox("Dark");
        dark.setOnAction(pressed -> wishes.toggleTheme());
        wishes.theme().subscribe(theme -> dark.setSelected(theme == AppSettings.Theme.DARK));
        CardView look = new CardView("Look");
        look.add(dark);
        CardView files = new CardView("Files");
        Label where = new Label("Subjects, runs and settings are kept in " + model.home() + ". The variable ATOMSTUDIO_HOME moves them.");
        where.setWrapText(true);
        where.getStyleClass().add("muted");
        Button show = new Button("Show in file manager");
        show.setOnAction(pressed -> model.showFiles());
        files.add(where, show);
        ScrollPane scroll = new ScrollPane(new VBox(12, look, previews(wishes), engine(wishes), safety(wishes), files));
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, scroll);
    }

    private static CardView previews(PreferencesViewModel wishes) {
        CardView card = new CardView("Pictures while they are made");
        Label how = new Label();
        how.setWrapText(true);
        how.getStyleClass().add("muted");
        how.textProperty().bind(wishes.preview().map(file -> file.map(path -> "They are seen through " + path + ".")
            .orElse("A small model shows them itself; a large one's colours are guessed from its latents. A TAESD decoder for Stable Diffusion 1.x and 2.x shows more.")));
        Button choose = new Button("Choose a decoder…");
        choose.setId("choose-preview");
        choose.setOnAction(pressed -> wishes.choosePreview());
        Button none = new Button("Without");
        none.setOnAction(pressed -> wishes.preview(Optional.empty()));
        none.visibleProperty().bind(wishes.preview().map(Optional::isPresent));
        card.add(how, new HBox(8, choose, none));
        return card;
    }

    private static CardView engine(PreferencesViewModel wishes) {
        ChoiceBox<EngineName> choice = new ChoiceBox<>();
        choice.setId("engine");
        choice.setAccessibleText("What runs the networks");
        choice.getItems().setAll(EngineName.values());
        choice.setConverter(new TitleConverter<>(SettingsView::title));
        choice.setValue(wishes.engine().getValue());
        choice.valueProperty().subscribe(chosen -> wishes.engine(chosen));
        Label what = new Label("Automatic is ONNX Runtime, and for a large model on a processor with units for bfloat16 PyTorch, which is faster there. Their pictures differ by rounding.");
        what.setWrapText(true);
        what.getStyleClass().add("muted");
        CardView card = new CardView("What makes pictures");
        card.add(choice, what);
        return card;
    }

    private static String title(EngineName engine) {
        return switch (engine) {
            case AUTO -> "Automatic";
            case ONNX -> "ONNX Runtime";
            case TORCH -> "PyTorch";
        };
    }

    private static CardView safety(PreferencesViewModel wishes) {
        CheckBox checker = new CheckBox("Heed the safety checker of models that bring one");
        checker.setId("safety");
        checker.setSelected(wishes.safety().getValue() == SafetyFilter.ON);
        checker.selectedProperty().subscribe(on -> {
            if ((wishes.safety().getValue() == SafetyFilter.ON) != on) wishes.heed(on ? SafetyFilter.ON : SafetyFilter.OFF);
        });
        Label black = new Label("Pictures that it takes for unsafe are black, and so are their previews.");
        black.getStyleClass().add("muted");
        CardView card = new CardView("Safety");
        card.add(checker, black);
        return card;
    }
}
