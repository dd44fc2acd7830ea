package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.setting.SettingType;
import com.google.gson.JsonObject;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The training config in run.json: each setting under its option's name; older names are read too.
public final class TrainingConfigJson {
    private TrainingConfigJson() {}

    /// The value of every setting, in the order of the settings: a number, a boolean or a text.
    public static Map<TrainingSetting, Object> values(TrainingConfig config) {
        Map<TrainingSetting, Object> values = config.values();
        values.replaceAll((_, value) -> SettingType.jsonValue(value));
        return values;
    }

    public static JsonObject write(TrainingConfig config) {
        JsonObject json = new JsonObject();
        config.values().forEach((setting, value) -> {
            if (setting.type().absent().equals(Optional.of(value))) return;
            switch (SettingType.jsonValue(value)) {
                case Number number -> json.addProperty(setting.option(), number);
                case Boolean flag -> json.addProperty(setting.option(), flag);
                case Object text -> json.addProperty(setting.option(), text.toString());
            }
        });
        return json;
    }

    /// @throws Failure.Unreadable that names the key with a missing or invalid value, or both keys of a setting that is
    ///     there twice
    /// @throws IllegalArgumentException that starts with the name of a setting out of range
    public static TrainingConfig read(Json json) throws Failure.Unreadable {
        Map<TrainingSetting, Object> values = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values())
            values.put(setting, setting.type().read(json, key(json, setting)));
        return TrainingConfig.of(values);
    }

    /// The key that an object has a setting under: the option's name or an older one.
    /// @throws Failure.Unreadable when it has several of them
    public static String key(Json json, TrainingSetting setting) throws Failure.Unreadable {
        List<String> found = setting.names().stream().filter(json::has).toList();
        if (found.size() > 1)
            throw new Failure.Unreadable(json.source() + ": " + String.join(" and ", found)
                    + " are names of the same setting; remove one of them");
        return found.isEmpty() ? setting.option() : found.getFirst();
    }
}
