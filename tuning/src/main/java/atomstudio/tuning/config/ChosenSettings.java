package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.Setting;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What a user chose on the command line or in a file: a method, a preset, and settings as text. Everything else has
/// its default.
public record ChosenSettings(Optional<MethodName> method, Optional<Preset> preset, Map<Setting, String> values) {
    public static final ChosenSettings NONE = new ChosenSettings(Optional.empty(), Optional.empty(), Map.of());

    /// @throws IllegalArgumentException for parameter groups that cannot be parsed
    public ChosenSettings {
        values = Map.copyOf(withRankPattern(values));
    }

    /// The ranks of parameter groups belong to the method.
    private static Map<Setting, String> withRankPattern(Map<Setting, String> values) {
        ParameterGroups groups = ParameterGroups.parse(values.getOrDefault(TrainingSetting.GROUPS, ""));
        if (groups.hasNoRanks()) return values;
        Map<Setting, String> changed = new HashMap<>(values);
        changed.put(TrainingSetting.GROUPS, groups.withoutRanks().toString());
        changed.merge(MethodSetting.RANK_PATTERN, groups.rankPattern(), (given, ofGroups) -> given + ";" + ofGroups);
        return changed;
    }

    /// These, and where nothing is chosen, those of `below`.
    public ChosenSettings over(ChosenSettings below) {
        Map<Setting, String> all = new HashMap<>(below.values);
        all.putAll(values);
        return new ChosenSettings(method.or(below::method), preset.or(below::preset), all);
    }

    /// @throws IllegalArgumentException that starts with the name of an invalid setting
    public MethodSettings methodSettings(MethodName name) {
        Map<MethodSetting, String> chosen = new EnumMap<>(MethodSetting.class);
        for (MethodSetting setting : MethodSetting.values())
            if (values.containsKey(setting)) chosen.put(setting, values.get(setting));
        return MethodSettings.of(name, chosen);
    }

    /// The training settings, with the preset's where none is chosen.
    /// @param size of the model that is trained
    public TrainingSettings trainingSettings(MethodSettings settings, ModelSize size) {
        Map<TrainingSetting, String> chosen = new EnumMap<>(TrainingSetting.class);
        preset.ifPresent(each -> chosen.putAll(each.values(settings, size)));
        for (TrainingSetting setting : TrainingSetting.values())
            if (values.containsKey(setting)) chosen.put(setting, values.get(setting));
        return new TrainingSettings(chosen);
    }
}
