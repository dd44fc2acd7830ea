package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/// The training settings that a user chose, as text; the others are the method's defaults. An invalid value is
/// rejected with a message that starts with the setting's name, the same for command line and window.
public record TrainingSettings(Map<TrainingSetting, String> chosen) {
    public static final TrainingSettings DEFAULTS = new TrainingSettings(Map.of());

    public TrainingSettings {
        Map<TrainingSetting, String> values = new EnumMap<>(TrainingSetting.class);
        values.putAll(chosen);
        values.values().removeIf(String::isBlank);
        values.entrySet().removeIf(entry -> entry.getKey().isFlag() && entry.getValue().equals(Setting.NO));
        chosen = Collections.unmodifiableMap(values);
    }

    /// The settings of a config that differ from a method's defaults on a model of this size.
    public static TrainingSettings of(TrainingConfig config, MethodSettings method, ModelSize size) {
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        new TrainingSetting.Basis(method, config.optimizer().name(), size).defaults()
                .forEach((setting, defaultValue) -> {
                    Object value = setting.of(config);
                    if (!value.equals(defaultValue)) changed.put(setting, setting.type().format(value));
                });
        return new TrainingSettings(changed);
    }

    /// With another value of a setting; empty: the default.
    public TrainingSettings with(TrainingSetting setting, String value) {
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        changed.putAll(chosen);
        changed.put(setting, value);
        return new TrainingSettings(changed);
    }

    /// With the defaults of a model of this size as choices, where they differ from a small model's, so that the
    /// settings are complete without the model.
    public TrainingSettings completedFor(MethodSettings method, ModelSize size) {
        Map<TrainingSetting, Object> small = defaults(method, ModelSize.SMALL);
        Map<TrainingSetting, String> all = new EnumMap<>(TrainingSetting.class);
        defaults(method, size).forEach((setting, value) -> {
            if (!value.equals(small.get(setting))) all.put(setting, setting.type().format(value));
        });
        all.putAll(chosen);
        return new TrainingSettings(all);
    }

    /// The value of a setting that is not chosen; empty where the model or the run decides.
    public String defaultValue(TrainingSetting setting, MethodSettings method, ModelSize size) {
        return setting.type().format(defaults(method, size).get(setting));
    }

    private Map<TrainingSetting, Object> defaults(MethodSettings method, ModelSize size) {
        TrainingConfig.OptimizerName optimizer = OptionValue
                .ofOption(TrainingConfig.OptimizerName.class,
                        chosen.getOrDefault(TrainingSetting.OPTIMIZER, "").strip())
                .orElse(TrainingConfig.OptimizerName.ADAMW);
        return new TrainingSetting.Basis(method, optimizer, size).defaults();
    }

    /// @throws IllegalArgumentException that starts with the name of the invalid setting
    public TrainingConfig toConfig(MethodSettings method, ModelSize size) {
        if (chosen.containsKey(TrainingSetting.PRIOR_LOSS_WEIGHT) && !chosen.containsKey(TrainingSetting.CLASS_IMAGES))
            throw TrainingSetting.PRIOR_LOSS_WEIGHT.missing(TrainingSetting.CLASS_IMAGES.quotedTitle());
        Map<TrainingSetting, Object> values = defaults(method, size);
        chosen.forEach(
                (setting, text) -> values.compute(setting, (_, defaultValue) -> setting.parse(text, defaultValue)));
        return TrainingConfig.of(values);
    }
}
