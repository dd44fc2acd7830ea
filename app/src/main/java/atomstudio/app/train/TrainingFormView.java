package atomstudio.app.train;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.controls.ActionButtonView;
import atomstudio.app.controls.FocusScrollView;
import atomstudio.app.controls.MutedLabelView;
import atomstudio.app.controls.NoteView;
import atomstudio.app.controls.SearchFieldView;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingGroup;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javafx.geometry.Pos;
import javafx.scene.Node;
import javafx.scene.control.Button;
import javafx.scene.control.Label;
import javafx.scene.control.TextField;
import javafx.scene.control.Tooltip;
import javafx.scene.layout.HBox;
import javafx.scene.layout.Priority;
import javafx.scene.layout.Region;
import javafx.scene.layout.TilePane;
import javafx.scene.layout.VBox;

/// All options of the method and of training, in groups, with a search.
public final class TrainingFormView extends VBox {
    private static final double GAP = 24;
    /// The least width of a column, in pixels.
    private static final double MIN_COLUMN = 268;
    private static final int MAX_COLUMNS = 4;

    private final TrainViewModel model;
    private final TextField search = new SearchFieldView("search-options", text("train.options.search"));
    private final Map<Setting, OptionView> options = new LinkedHashMap<>();
    private final Map<SettingGroup, VBox> groups = new EnumMap<>(SettingGroup.class);
    private final Label nothingFound = new MutedLabelView(text("train.options.none"));

    /// @param close closes the form
    public TrainingFormView(TrainViewModel model, Runnable close) {
        super(10);
        this.model = model;
        setId("training-form");
        getStyleClass().add("settings");
        for (MethodSetting setting : MethodSetting.values()) options.put(setting, methodOption(setting));
        for (TrainingSetting setting : TrainingSetting.values()) options.put(setting, trainingOption(setting));
        options.get(TrainingSetting.CLASS_IMAGES).addTrailing(classImagesChooser());
        VBox content = new VBox(12, nothingFound, new StartFilesView(model.startFiles()));
        for (SettingGroup group : SettingGroup.values()) {
            groups.put(group, groupBox(group));
            content.getChildren().add(groups.get(group));
        }
        FocusScrollView scroll = new FocusScrollView(content).withBarInMargin();
        VBox.setVgrow(scroll, Priority.ALWAYS);
        getChildren().addAll(header(close), new NoteView(NoteView.NoteKind.PLAIN, model.settingsFile().note()), scroll);
        search.textProperty().subscribe(query -> filter());
        model.method().settings().subscribe(now -> filter());
        model.method().invalidMessage().subscribe(this::markInvalid);
        model.training().preset().subscribe(now -> refresh());
        model.training().settings().subscribe(now -> refresh());
        model.training().invalidMessage().subscribe(this::markInvalid);
    }

    private Node header(Runnable close) {
        Label title = new Label();
        title.getStyleClass().add("card-title");
        title.setMinWidth(USE_PREF_SIZE);
        title.textProperty()
                .bind(model.method().settings().map(now -> text("train.options.title", now.choice().displayName())));
        Region gap = new Region();
        HBox.setHgrow(gap, Priority.ALWAYS);
        HBox first = new HBox(8, title, gap,
                new ActionButtonView(text("train.options.close"), close).withId("close-options"));
        first.setAlignment(Pos.CENTER_LEFT);
        HBox.setHgrow(search, Priority.ALWAYS);
        HBox second = new HBox(8, search,
                button("train.options.open", "open-settings", "train.options.open.help", model.settingsFile()::open),
                button("train.options.save", "save-settings", "train.options.save.help", model.settingsFile()::save),
                button("train.options.reset", "reset-settings", "train.options.reset.help", model::resetSettings));
        second.setAlignment(Pos.CENTER_LEFT);
        return new VBox(8, first, second);
    }

    private static Button button(String textKey, String id, String helpKey, Runnable action) {
        Button button = new ActionButtonView(text(textKey), action).withId(id);
        button.setAccessibleText(text(helpKey));
        button.setTooltip(new Tooltip(text(helpKey)));
        return button;
    }

    private VBox groupBox(SettingGroup group) {
        Label title = new Label(group.title());
        title.getStyleClass().add("group-title");
        TilePane tiles = new TilePane(GAP, 6);
        tiles.setTileAlignment(Pos.CENTER_LEFT);
        tiles.widthProperty().subscribe(width -> {
            int columns = Math.clamp((int) ((width.doubleValue() + GAP) / (MIN_COLUMN + GAP)), 1, MAX_COLUMNS);
            tiles.setPrefColumns(columns);
            tiles.setPrefTileWidth(Math.floor(Math.max(0, (width.doubleValue() + GAP) / columns - GAP)));
        });
        options.forEach((setting, view) -> {
            if (setting.group() == group) tiles.getChildren().add(view);
        });
        return new VBox(6, title, tiles);
    }

    /// Shows the options that apply to the method and contain the query.
    private void filter() {
        String query = search.getText().strip().toLowerCase(Locale.ROOT);
        List<MethodSetting> applicable = model.method().settings().get().settings();
        groups.values().forEach(box -> show(box, false));
        options.forEach((setting, view) -> {
            boolean applies = !(setting instanceof MethodSetting ofMethod) || applicable.contains(ofMethod);
            show(view, applies && matches(setting, query));
            if (view.isVisible()) show(groups.get(setting.group()), true);
        });
        show(nothingFound, groups.values().stream().noneMatch(Node::isVisible));
        refresh();
    }

    private static boolean matches(Setting setting, String query) {
        return (setting.titleWithUnit() + "\n" + setting.option() + "\n" + setting.group().title() + "\n"
                + setting.description()).toLowerCase(Locale.ROOT).contains(query);
    }

    private static void show(Node node, boolean visible) {
        node.setVisible(visible);
        node.setManaged(visible);
    }

    private void refresh() {
        options.values().forEach(OptionView::refresh);
    }

    private void markInvalid(String message) {
        options.values().forEach(view -> view.markInvalid(message));
    }

    private OptionView methodOption(MethodSetting setting) {
        MethodViewModel method = model.method();
        return new OptionView(setting,
                new OptionView.OptionBinding(() -> method.text(setting), () -> defaultValue(setting),
                        text -> method.setText(setting, text)),
                name -> displayName(setting, name));
    }

    /// The value used while nothing is entered.
    private String defaultValue(MethodSetting setting) {
        MethodSettings settings = model.method().settings().get();
        if (!settings.settings().contains(setting)) return "";
        if (setting != MethodSetting.ALPHA || !model.method().text(setting).isEmpty())
            return MethodSettings.of(settings.choice()).value(setting);
        return settings.value(setting);
    }

    private static String displayName(MethodSetting setting, String name) {
        if (setting != MethodSetting.COMBINE_WITH) return name;
        return name.isEmpty() ? text("train.combine.none") : MethodName.ofOption(name).displayName();
    }

    private OptionView trainingOption(TrainingSetting setting) {
        TrainingSettingsViewModel training = model.training();
        return new OptionView(setting, new OptionView.OptionBinding(() -> training.text(setting),
                () -> defaultText(setting), text -> training.setText(setting, text)));
    }

    private String defaultText(TrainingSetting setting) {
        // A run of the window has previews unless the user sets 0.
        if (setting == TrainingSetting.PREVIEW_EVERY) return text("train.previews.default");
        String value = model.training().defaultValue(setting);
        return value.isEmpty() ? setting.unsetLabel() : value;
    }

    /// Buttons for generated class images (`auto`) and for a folder of them.
    private Node classImagesChooser() {
        TrainingSettingsViewModel training = model.training();
        Button auto = small("train.class-images.auto", "train.class-images.auto.help",
                () -> training.setText(TrainingSetting.CLASS_IMAGES,
                        training.text(TrainingSetting.CLASS_IMAGES).equals("auto") ? "" : "auto"));
        Button folder = small("train.class-images.folder", "train.class-images.folder.help",
                training::chooseClassImages);
        HBox both = new HBox(3, auto, folder);
        both.setMinWidth(Region.USE_PREF_SIZE);
        return both;
    }

    private static Button small(String textKey, String helpKey, Runnable action) {
        Button button = new ActionButtonView(text(textKey), action, "small");
        button.setAccessibleText(text(helpKey));
        button.setTooltip(new Tooltip(text(helpKey)));
        return button;
    }
}
