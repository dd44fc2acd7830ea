package atomstudio.app.tune;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.Setting;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javafx.scene.layout.VBox;

/// The settings that belong to the chosen method, made from the family's own descriptions.
final class MethodSettingsView extends VBox {
    private final MethodViewModel model;
    private final Map<Setting, OptionView> views = new EnumMap<>(Setting.class);

    MethodSettingsView(MethodViewModel model) {
        super(5);
        this.model = model;
        setId("method-settings");
        getStyleClass().add("settings");
        for (Setting setting : Setting.values()) views.put(setting, view(setting));
        getChildren().addAll(views.values());
        model.settings().subscribe(this::show);
        model.wrong().subscribe(wrong -> views.values().forEach(view -> view.blame(wrong)));
    }

    private void show(MethodSettings now) {
        List<Setting> belonging = now.settings();
        views.forEach((setting, view) -> {
            view.setVisible(belonging.contains(setting));
            view.setManaged(view.isVisible());
            view.refresh();
        });
    }

    private OptionView view(Setting setting) {
        OptionView.Kind kind = switch (setting) {
            case CODING, SIDE, ALSO -> OptionView.Kind.ONE_OF;
            case LAYERS -> OptionView.Kind.SUGGESTED;
            case TEXT_ENCODER -> OptionView.Kind.FLAG;
            case ATOMS, M1, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, BLOCK -> OptionView.Kind.TEXT;
        };
        OptionView.Option option = new OptionView.Option(setting.command(), setting.description(), kind, setting.names(), name -> display(setting, name));
        return new OptionView(option, new OptionView.Value(() -> model.text(setting), () -> usual(setting), text -> model.type(setting, text)), Setting.YES);
    }

    /// What a setting is while nothing is typed for it.
    private String usual(Setting setting) {
        MethodSettings now = model.settings().get();
        if (!now.settings().contains(setting)) return "";
        if (setting != Setting.ALPHA || !model.text(setting).isEmpty()) return MethodSettings.of(now.choice()).value(setting);
        return now.value(setting);
    }

    private static String display(Setting setting, String name) {
        if (setting == Setting.TEXT_ENCODER) return name + " too";
        if (setting != Setting.ALSO) return name;
        return name.isEmpty() ? "nothing else" : Choice.named(name).display();
    }
}
