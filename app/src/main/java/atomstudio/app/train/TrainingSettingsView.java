package atomstudio.app.train;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.setting.SettingGroup;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.FlowPane;
import javafx.scene.layout.HBox;
import javafx.scene.layout.VBox;

/// The training settings in groups, one control per setting.
final class TrainingSettingsView extends VBox {
    private final TrainingSettingsViewModel model;
    private final Map<TrainingSetting, OptionView> optionViews = new EnumMap<>(TrainingSetting.class);

    TrainingSettingsView(TrainingSettingsViewModel model) {
        super(5);
        this.model = model;
        setId("training-settings");
        getStyleClass().add("settings");
        for (TrainingSetting setting : TrainingSetting.values()) optionViews.put(setting, createView(setting));
        optionViews.get(TrainingSetting.CLASS_IMAGES).addTrailing(classImagesChooser());
        for (SettingGroup group : SettingGroup.values())
            if (group != SettingGroup.METHOD) getChildren().addAll(groupNodes(group));
        model.preset().subscribe(now -> optionViews.values().forEach(OptionView::refresh));
        model.settings().subscribe(now -> optionViews.values().forEach(OptionView::refresh));
        model.method().subscribe(now -> optionViews.values().forEach(OptionView::refresh));
        model.invalidMessage().subscribe(wrong -> optionViews.values().forEach(view -> view.markInvalid(wrong)));
    }

    private Node[] groupNodes(SettingGroup group) {
        Label title = new Label(group.title());
        title.getStyleClass().add("group-title");
        FlowPane flags = new FlowPane(14, 5);
        Stream<Node> fields = optionViews.entrySet()
                .stream()
                .filter(entry -> entry.getKey().group() == group && !entry.getKey().isFlag())
                .map(Map.Entry::getValue);
        optionViews.entrySet()
                .stream()
                .filter(entry -> entry.getKey().group() == group && entry.getKey().isFlag())
                .map(Map.Entry::getValue)
                .forEach(flags.getChildren()::add);
        Stream<Node> last = flags.getChildren().isEmpty() ? Stream.of() : Stream.of(flags);
        return Stream.of(Stream.<Node>of(title), fields, last).flatMap(each -> each).toArray(Node[]::new);
    }

    private OptionView createView(TrainingSetting setting) {
        return new OptionView(setting, new OptionView.OptionBinding(() -> model.text(setting),
                () -> defaultText(setting), text -> model.setText(setting, text)));
    }

    private String defaultText(TrainingSetting setting) {
        // A run of the window has previews unless the user sets 0.
        if (setting == TrainingSetting.PREVIEW_EVERY) return "5 in total";
        String value = model.defaultValue(setting);
        return value.isEmpty() ? setting.unsetLabel() : value;
    }

    /// Buttons for generated class images (`auto`) and for a folder of them.
    private Node classImagesChooser() {
        Button auto = button("auto", "Generate class images with the model", () -> model
                .setText(TrainingSetting.CLASS_IMAGES,
                        model.text(TrainingSetting.CLASS_IMAGES).equals("auto") ? "" : "auto"));
        Button folder = button("…", "Choose a folder of class images", model::chooseClassImages);
        HBox both = new HBox(3, auto, folder);
        both.setMinWidth(USE_PREF_SIZE);
        return both;
    }

    private static Button button(String text, String description, Runnable action) {
        Button button = new ActionButtonView(text, action, "small");
        button.setAccessibleText(description);
        button.setTooltip(new Tooltip(description));
        return button;
    }
}
