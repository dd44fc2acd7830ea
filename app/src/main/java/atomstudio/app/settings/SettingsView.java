package atomstudio.app.settings;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.CardColumnsView;
import atomstudio.app.controls.CardView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.SegmentedView;
import atomstudio.app.controls.TitleConverter;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.SafetyFilter;
import atomstudio.app.provider.DevicesViewModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.CheckBox;
import javafx.scene.control.ChoiceBox;
import javafx.scene.control.Label;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.VBox;

/// The Settings page: appearance, devices, engine, live previews, safety checker and files.
public final class SettingsView extends VBox {
    private static final double THEME_CHOICE_WIDTH = 300;
    private static final double CARD_WIDTH = 500;

    /// @param home the folder of subjects, runs and settings
    /// @param showFiles opens it in the file manager
    /// @param others cards of other packages, the last ones
    public SettingsView(SettingsViewModel settings, DevicesViewModel devices, Path home, Runnable showFiles,
            List<Node> others) {
        super(12);
        getStyleClass().add("plain-page");
        Label title = new Label(text("settings.settings"));
        title.getStyleClass().add("page-title");
        CardView appearance = new CardView(text("settings.appearance"));
        appearance.add(themeChoice(settings));
        CardView files = new CardView(text("settings.files"));
        files.add(new MutedLabelView(text("settings.subjects-runs-and-settings-are-stored", home)),
                new ActionButtonView(text("settings.show-in-file-manager"), showFiles));
        Stream<Node> cards = Stream.of(appearance, new DevicesView(settings, devices), engine(settings),
                previews(settings), safety(settings), files);
        FocusScrollView scroll = new FocusScrollView(new CardColumnsView(CARD_WIDTH,
                Stream.concat(cards, others.stream()).toArray(Node[]::new))).withBarInMargin();
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(title, scroll);
    }

    private static SegmentedView<AppSettings.Theme> themeChoice(SettingsViewModel settings) {
        SegmentedView<AppSettings.Theme> choice = new SegmentedView<>(text("settings.appearance"),
                Stream.of(AppSettings.Theme.values())
                        .map(theme -> new SegmentedView.Segment<>(theme, title(theme), ""))
                        .toList(),
                settings::theme);
        for (AppSettings.Theme theme : AppSettings.Theme.values())
            choice.button(theme).setId("theme-" + theme.option());
        settings.theme().subscribe(choice::show);
        choice.setMaxWidth(THEME_CHOICE_WIDTH);
        return choice;
    }

    private static String title(AppSettings.Theme theme) {
        return switch (theme) {
            case SYSTEM -> text("settings.theme.system");
            case LIGHT -> text("settings.theme.light");
            case DARK -> text("settings.theme.dark");
        };
    }

    private static CardView previews(SettingsViewModel settings) {
        CardView card = new CardView(text("settings.live-previews"));
        Label description = new MutedLabelView("");
        description.textProperty()
                .bind(settings.previewDecoder()
                        .map(file -> file.map(path -> text("settings.decoded-with", path))
                                .orElse(text("settings.small-models-preview-at-full-quality"))));
        Button choose = new ActionButtonView(text("settings.choose-decoder"), settings::choosePreviewDecoder)
                .withId("choose-preview-decoder");
        Button none = new ActionButtonView(text("settings.none"), () -> settings.previewDecoder(Optional.empty()));
        none.visibleProperty().bind(settings.previewDecoder().map(Optional::isPresent));
        card.add(description, new HBox(8, choose, none));
        return card;
    }

    private static CardView engine(SettingsViewModel settings) {
        ChoiceBox<EngineName> choice = new ChoiceBox<>();
        choice.setId("engine");
        choice.setAccessibleText(text("settings.engine"));
        choice.getItems().setAll(EngineName.values());
        choice.setConverter(new TitleConverter<>(SettingsView::title));
        choice.setValue(settings.engine().getValue());
        choice.valueProperty().subscribe(chosen -> settings.engine(chosen));
        CardView card = new CardView(text("settings.engine"));
        card.add(choice, new MutedLabelView(text("settings.automatic-picks-the-faster-engine-results")));
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
        CheckBox checker = new CheckBox(text("settings.use-the-models-safety-checker-blanks"));
        checker.setId("safety-checker");
        checker.setSelected(settings.safety().getValue() == SafetyFilter.ON);
        checker.selectedProperty().subscribe(on -> {
            if ((settings.safety().getValue() == SafetyFilter.ON) != on)
                settings.setSafety(on ? SafetyFilter.ON : SafetyFilter.OFF);
        });
        CardView card = new CardView(text("settings.safety"));
        card.add(checker);
        return card;
    }
}
