package atomstudio.tuning.config;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Settings chosen together. Settings that the user gives win over a preset's.
public enum Preset implements OptionValue {
    /// Half the steps: on the default model the prompt is still followed (docs/experiments.md).
    QUICK(0.5, Map.of(TrainingSetting.WARMUP_STEPS, "10")),
    BALANCED(1, Map.of(TrainingSetting.VALIDATE, Setting.YES)),
    THOROUGH(2, Map.of(TrainingSetting.VALIDATE, Setting.YES, TrainingSetting.EARLY_STOPPING, Setting.YES));

    private final double stepsFactor;
    private final Map<TrainingSetting, String> values;

    /// @param stepsFactor multiplies the method's steps
    Preset(double stepsFactor, Map<TrainingSetting, String> values) {
        this.stepsFactor = stepsFactor;
        this.values = new EnumMap<>(values);
    }

    /// The settings with a method on a model of this size, as text.
    public Map<TrainingSetting, String> values(MethodSettings method, ModelSize size) {
        Map<TrainingSetting, String> all = new EnumMap<>(values);
        if (stepsFactor != 1)
            all.put(TrainingSetting.STEPS, Long.toString(Math.round(stepsFactor * method.choice().steps(size))));
        return all;
    }

    /// `Quick`.
    public String title() {
        return option().substring(0, 1).toUpperCase(Locale.ROOT) + option().substring(1);
    }

    /// `half the method's steps, “Warm-up steps” 10`.
    public String description() {
        String steps = stepsFactor == 1 ? "the method's steps"
                : stepsFactor < 1 ? "half the method's steps" : "twice the method's steps";
        return Stream.concat(Stream.of(steps), values.entrySet()
                .stream()
                .map(entry -> entry.getKey().quotedTitle()
                        + (entry.getKey().isFlag() ? "" : " " + entry.getValue())))
                .collect(Collectors.joining(", "));
    }

    /// `quick: ...; balanced: ...; thorough: ...`.
    public static String descriptions() {
        return Stream.of(values())
                .map(preset -> preset.option() + ": " + preset.description())
                .collect(Collectors.joining("; "));
    }
}
