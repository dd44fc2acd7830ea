package atomstudio.app.settings;

import atomstudio.app.controls.CardView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import java.nio.file.Path;
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
public final class SettingsView extends VBox {
    /// @param home the folder of subjects, runs and settings
    /// @param showFiles opens it in the file manager
    public SettingsView(SettingsViewModel settings, Path home, Runnable showFiles) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label("Settings");
        title.getStyleClass().add("page-title");
        CheckBox dark = new CheckBox("Dark");
        dark.setOnAction(pressed -> settings.toggleTheme());
        settings.theme().subscribe(theme -> dark.setSelected(theme == AppSettings.Theme.DARK));
        CardView appearance = new CardView("Look");
        appearance.add(dark);
        CardView files = new CardView("Files");
        Label location = new Label("Subjects, runs and settings are kept in " + home
                + ". The variable ATOMSTUDIO_HOME moves them.");
        location.setWrapText(true);
        location.getStyleClass().add("muted");
        Button show = new Button("Show in file manager");
        show.setOnAction(pressed -> showFiles.run());
        files.add(location, show);
        ScrollPane scroll = new ScrollPane(
                new VBox(12, appearance, previews(settings), engine(settings), safety(settings), files));
        scroll.setFitToWidth(true);
        scroll.getStyleClass().add("edge-to-edge");
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, scroll);
    }

    private static CardView previews(SettingsViewModel settings) {
        CardView card = new CardView("Pictures while they are made");
        Label description = new Label();
        description.setWrapText(true);
        description.getStyleClass().add("muted");
        description.textProperty()
                .bind(settings.previewDecoder()
                        .map(file -> file.map(path -> "They are seen through " + path + ".")
                                .orElse("A small model shows them itself; a large one's colours are guessed from its latents. A TAESD decoder for Stable Diffusion 1.x and 2.x shows more.")));
        Button choose = new Button("Choose a decoder…");
        choose.setId("choose-preview");
        choose.setOnAction(pressed -> settings.choosePreviewDecoder());
        Button none = new Button("Without");
        none.setOnAction(pressed -> settings.previewDecoder(Optional.empty()));
        none.visibleProperty().bind(settings.previewDecoder().map(Optional::isPresent));
        card.add(description, new HBox(8, choose, none));
        return card;
    }

    private static CardView engine(SettingsViewModel settings) {
        ChoiceBox<EngineName> choice = new ChoiceBox<>();
        choice.setId("engine");
        choice.setAccessibleText("What runs the networks");
        choice.getItems().setAll(EngineName.values());
        choice.setConverter(new TitleConverter<>(SettingsView::title));
        choice.setValue(settings.engine().getValue());
        choice.valueProperty().subscribe(chosen -> settings.engine(chosen));
        Label description = new Label(
                "Automatic is ONNX Runtime, and for a large model on a processor with units for bfloat16 PyTorch, which is faster there. Their pictures differ by rounding.");
        description.setWrapText(true);
        description.getStyleClass().add("muted");
        CardView card = new CardView("What makes pictures");
        card.add(choice, description);
        return card;
    }

    private static String title(EngineName engine) {
        return switch (engine) {
            case AUTO -> "Automatic";
            case ONNX -> "ONNX Runtime";
            case TORCH -> "PyTorch";
        };
    }

    private static CardView safety(SettingsViewModel settings) {
        CheckBox checker = new CheckBox("Heed the safety checker of models that bring one");
        checker.setId("safety");
        checker.setSelected(settings.safety().getValue() == SafetyFilter.ON);
        checker.selectedProperty().subscribe(on -> {
            if ((settings.safety().getValue() == SafetyFilter.ON) != on)
                settings.setSafety(on ? SafetyFilter.ON : SafetyFilter.OFF);
        });
        Label description = new Label("Pictures that it takes for unsafe are black, and so are their previews.");
        description.getStyleClass().add("muted");
        CardView card = new CardView("Safety");
        card.add(checker, description);
        return card;
    }
}
