package atomstudio.app.tune;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.train.TrainingSetting;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/// What would make a run fit: `--batch 1 --accumulate 6: one picture at a time, the same steps`, understood as settings where it is some.
/// @param text as it was said
public record MemoryAdvice(String text, Map<MethodSetting, String> methodSettings, Map<TrainingSetting, String> trainingSettings) {
    private static final String OPTION = "--";

    public static MemoryAdvice parse(String text) {
        String[] words = text.split(": ", 2)[0].split(" ");
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < words.length; i++) {
            if (!words[i].startsWith(OPTION)) continue;
            boolean hasValue = i + 1 < words.length && !words[i + 1].startsWith(OPTION);
            options.put(words[i].substring(OPTION.length()), hasValue ? words[i + 1] : TrainingSetting.YES);
        }
        Map<MethodSetting, String> method = new EnumMap<>(MethodSetting.class);
        Stream.of(MethodSetting.values()).filter(setting -> options.containsKey(setting.option())).forEach(setting -> method.put(setting, options.get(setting.option())));
        Map<TrainingSetting, String> training = new EnumMap<>(TrainingSetting.class);
        Stream.of(TrainingSetting.values()).filter(setting -> options.containsKey(setting.option())).forEach(setting -> training.put(setting, options.get(setting.option())));
        return new MemoryAdvice(text, method, training);
    }

    /// Whether it is a matter of settings, which one click can set.
    public boolean isApplicable() {
        return !methodSettings.isEmpty() || !trainingSettings.isEmpty();
    }

    /// For people: `batch 1, accumulate 6: one picture at a time, the same steps`.
    public String displayText() {
        return text.replaceFirst("^" + OPTION, "").replace(" " + OPTION, ", ").replace("-", " ");
    }
}
