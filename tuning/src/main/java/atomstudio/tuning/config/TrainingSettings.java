package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSettings;
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

    /// The settings of a config that differ from a method's defaults.
    public static TrainingSettings of(TrainingConfig config, MethodSettings method) {
        Map<TrainingSetting, String> changed = new EnumMap<>(TrainingSetting.class);
        TrainingSetting.defaults(method, config.optimizer().name()).forEach((setting, defaultValue) -> {
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

    /// The value of a setting that is not chosen; empty where the model or the run decides.
    public String defaultValue(TrainingSetting setting, MethodSettings method) {
        return setting.type().format(defaults(method).get(setting));
    }

    private Map<TrainingSetting, Object> defaults(MethodSettings method) {
        return TrainingSetting.defaults(method, OptionValue
                .ofOption(TrainingConfig.OptimizerName.class,
                        chosen.getOrDefault(TrainingSetting.OPTIMIZER, "").strip())
                .orElse(TrainingConfig.OptimizerName.ADAMW));
    }

    /// @throws IllegalArgumentException that starts with the name of the invalid setting
    public TrainingConfig toConfig(MethodSettings method) {
        if (chosen.containsKey(TrainingSetting.PRIOR_LOSS_WEIGHT) && !chosen.containsKey(TrainingSetting.CLASS_IMAGES))
            throw TrainingSetting.PRIOR_LOSS_WEIGHT.missing(TrainingSetting.CLASS_IMAGES.quotedTitle());
        Map<TrainingSetting, Object> values = defaults(method);
        chosen.forEach(
                (setting, text) -> values.compute(setting, (_, defaultValue) -> setting.parse(text, defaultValue)));
        return TrainingConfig.of(values);
    }
}
