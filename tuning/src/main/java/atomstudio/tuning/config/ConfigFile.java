package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.CloseNames;
import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tomlj.Toml;

/// A TOML file with settings for `train`: `method`, `preset`, the names of [Input], and every setting by its option's
/// name or an older one. A training or dataset configuration of kohya's sd-scripts is read too.
/// @param inputs as text
/// @param notes  what the reader should know of the file, one line each
public record ConfigFile(ChosenSettings settings, Map<Input, String> inputs, List<String> notes) {
    /// What a run is made from and where it is written.
    public enum Input implements OptionValue { MODEL, PHOTOS, CLASS, TRIGGER_WORD, OUT }

    private static final String METHOD = "method";
    private static final String PRESET = "preset";

    public ConfigFile {
        inputs = Map.copyOf(inputs);
        notes = List.copyOf(notes);
    }

    /// @throws Failure.Unreadable that names the line and key of an unknown key, or of a value of another type or out
    ///     of range
    public static ConfigFile read(Path file) throws Failure.Unreadable {
        TomlFile toml = TomlFile.read(file);
        return KohyaKeys.isOne(toml) ? KohyaConfig.read(toml) : new Reader().read(toml);
    }

    private static final class Reader {
        private Optional<MethodName> method = Optional.empty();
        private Optional<Preset> preset = Optional.empty();
        private final Map<Setting, String> values = new HashMap<>();
        private final Map<Setting, String> keys = new HashMap<>();
        private final Map<Input, String> inputs = new HashMap<>();

        ConfigFile read(TomlFile toml) throws Failure.Unreadable {
            for (TomlFile.Entry entry : toml.entries()) read(entry);
            return new ConfigFile(new ChosenSettings(method, preset, values), inputs, List.of());
        }

        private void read(TomlFile.Entry entry) throws Failure.Unreadable {
            String key = entry.key();
            Optional<Setting> setting = SettingTable.ofOption(key);
            Optional<Input> input = OptionValue.ofOption(Input.class, key);
            if (setting.isPresent()) {
                String other = keys.put(setting.get(), key);
                if (other != null)
                    throw new Failure.Unreadable(entry.source() + ": " + other + " and " + key
                            + " are names of the same setting; remove one of them");
                values.put(setting.get(), value(setting.get().row(), entry));
            } else if (input.isPresent()) {
                inputs.put(input.get(), entry.json().string(key));
            } else if (key.equals(METHOD)) {
                method = Optional.of(entry.json()
                        .get(key, "one of " + MethodName.options(),
                                element -> MethodName.ofOption(Json.string(element))));
            } else if (key.equals(PRESET)) {
                preset = Optional.of(entry.json()
                        .get(key, "one of quick, balanced, thorough",
                                element -> OptionValue.ofOption(Preset.class, Json.string(element)).orElseThrow()));
            } else {
                throw unknown(entry);
            }
        }

        private static Failure.Unreadable unknown(TomlFile.Entry entry) {
            List<String> known = Stream.of(Stream.of(METHOD, PRESET), Stream.of(Input.values()).map(Input::option),
                    SettingTable.ALL.stream().map(Setting::option)).flatMap(each -> each).toList();
            return entry.invalid("the name of a setting such as "
                    + String.join(", ", CloseNames.of(entry.key(), known, 3)), "an unknown name");
        }
    }

    /// The text of a setting's value.
    /// @throws Failure.Unreadable for a value of another type or out of range
    static <T> String value(Setting.Row<T> row, TomlFile.Entry entry) throws Failure.Unreadable {
        T value = row.type().reader().read(entry.json(), entry.key());
        try {
            if (row.type().isUnset(value)) throw row.invalid(row.type().range(), entry.value());
            // Ranks of groups are moved to the method by ChosenSettings.
            if (row.type().kind() != SettingType.Kind.ITEMS) row.check(value);
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(entry.source() + ": " + e.getMessage(), e);
        }
        return row.type().format(value);
    }

    /// The file of a run's settings: reading it gives an equal method and an equal config. Every value is written, so
    /// that the file does not depend on the defaults of a version.
    public static String text(MethodSettings method, TrainingConfig config, Optional<Trigger> trigger) {
        List<String> lines = new ArrayList<>(List.of("# Settings of a training run, for: studio train --config FILE",
                line(METHOD, method.name())));
        trigger.ifPresent(words -> lines.addAll(List.of(line(Input.TRIGGER_WORD.option(), words.token()),
                line(Input.CLASS.option(), words.className()))));
        method.settings()
                .stream()
                .filter(setting -> !method.value(setting).isEmpty())
                .forEach(setting -> lines.add(line(setting, setting.row().parse(method.value(setting)))));
        for (TrainingSetting setting : TrainingSetting.values())
            value(setting, method, config).ifPresent(value -> lines.add(line(setting, value)));
        return lines.stream().collect(Collectors.joining("\n", "", "\n"));
    }

    /// Empty where the setting is left open, as it is by default.
    private static Optional<Object> value(TrainingSetting setting, MethodSettings method, TrainingConfig config) {
        Object value = setting.of(config);
        if (!setting.type().isUnset(value)) return Optional.of(value);
        boolean opensByDefault = setting.type()
                .isUnset(new TrainingSetting.Basis(method, config.optimizer().name(), ModelSize.SMALL).defaults()
                        .get(setting));
        // A run of an older version without the rate of a part trains it with the method's.
        return opensByDefault || !(value instanceof OptionalDouble) ? Optional.empty()
                : Optional.of(OptionalDouble.of(config.schedule().learningRate()));
    }

    private static String line(Setting setting, Object value) {
        // TOML's whole numbers have 64 bits with a sign; seeds are read from both forms.
        Object written = value instanceof Long seed ? seed : SettingType.jsonValue(value);
        String unit = setting.unit().isEmpty() ? "" : " # " + setting.unit();
        return (written instanceof String text ? line(setting.option(), text) : setting.option() + " = " + written)
                + unit;
    }

    private static String line(String key, String text) {
        return key + " = \"" + Toml.tomlEscape(text) + "\"";
    }
}
