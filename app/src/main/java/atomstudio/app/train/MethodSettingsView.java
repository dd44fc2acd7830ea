package atomstudio.app.train;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javafx.scene.layout.VBox;

/// The settings of the selected method, one control per setting.
final class MethodSettingsView extends VBox {
    private final MethodViewModel model;
    private final Map<MethodSetting, OptionView> optionViews = new EnumMap<>(MethodSetting.class);

    MethodSettingsView(MethodViewModel model) {
        super(5);
        this.model = model;
        setId("method-settings");
        getStyleClass().add("settings");
        for (MethodSetting setting : MethodSetting.values()) optionViews.put(setting, createView(setting));
        getChildren().addAll(optionViews.values());
        model.settings().subscribe(this::show);
        model.invalidMessage().subscribe(wrong -> optionViews.values().forEach(view -> view.markInvalid(wrong)));
    }

    private void show(MethodSettings settings) {
        List<MethodSetting> applicable = settings.settings();
        optionViews.forEach((setting, view) -> {
            view.setVisible(applicable.contains(setting));
            view.setManaged(view.isVisible());
            view.refresh();
        });
    }

    private OptionView createView(MethodSetting setting) {
        return new OptionView(setting, new OptionView.OptionBinding(() -> model.text(setting),
                () -> defaultValue(setting), text -> model.setText(setting, text)), name -> displayName(setting, name));
    }

    /// The value used while nothing is entered.
    private String defaultValue(MethodSetting setting) {
        MethodSettings settings = model.settings().get();
        if (!settings.settings().contains(setting)) return "";
        if (setting != MethodSetting.ALPHA || !model.text(setting).isEmpty())
            return MethodSettings.of(settings.choice()).value(setting);
        return settings.value(setting);
    }

    private static String displayName(MethodSetting setting, String name) {
        if (setting != MethodSetting.COMBINE_WITH) return name;
        return name.isEmpty() ? "none" : MethodName.ofOption(name).displayName();
    }
}
