package atomstudio.app.cli;

import atomstudio.tuning.config.SettingTable;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.setting.Setting;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/// The tuning method and every setting, as options made from the table of settings.
@Command
final class TrainingOptions {
    private static final String METHOD_OPTION = "--method";

    private @Nullable CommandSpec command;

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void addTo(CommandSpec mixee) {
        command = mixee;
        mixee.addOption(OptionSpec.builder(METHOD_OPTION)
                .type(String.class)
                .required(true)
                .paramLabel("NAME")
                .completionCandidates(Stream.of(MethodName.values()).map(MethodName::option).toList())
                .description("One of " + MethodName.options() + ". `studio methods` lists their settings.")
                .build());
        SettingTable.ALL.forEach(setting -> mixee.addOption(option(setting)));
    }

    private static OptionSpec option(Setting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + setting.option()).description(help(setting));
        if (setting.isFlag()) return builder.type(boolean.class).arity("0").build();
        if (!setting.allowedValues().isEmpty()) builder.completionCandidates(setting.allowedValues());
        return builder.type(String.class).paramLabel(setting.valueLabel()).build();
    }

    private static String help(Setting setting) {
        String methods = setting.methods().isEmpty() ? "" : " For " + String.join(", ", setting.methods()) + ".";
        String value = setting.commonDefault();
        boolean hasDefault = !setting.isFlag() && !setting.description().contains("Default:");
        return setting.description() + methods
                + (hasDefault ? " Default: " + (value.isEmpty() ? "none" : value) + "." : "");
    }

    MethodSettings method() {
        return requireValid(() -> MethodSettings.of(MethodName.ofOption(command().findOption(METHOD_OPTION).getValue()),
                chosen(MethodSetting.class)));
    }

    TrainingConfig config(MethodSettings method) {
        return requireValid(() -> new TrainingSettings(chosen(TrainingSetting.class)).toConfig(method));
    }

    /// The given values; settings that were not given are absent.
    private <E extends Enum<E> & Setting> Map<E, String> chosen(Class<E> settings) {
        Map<E, String> values = new EnumMap<>(settings);
        for (E setting : settings.getEnumConstants()) {
            Object value = command().findOption("--" + setting.option()).getValue();
            if (value instanceof String text) values.put(setting, text);
            else if (Boolean.TRUE.equals(value)) values.put(setting, Setting.YES);
        }
        return values;
    }

    /// @param conversion throws IllegalArgumentException with a message that starts with the setting's name
    private <V> V requireValid(Supplier<V> conversion) {
        try {
            return conversion.get();
        } catch (IllegalArgumentException error) {
            throw new UsageError(command(), "--" + error.getMessage());
        }
    }

    private CommandSpec command() {
        CommandSpec spec = command;
        if (spec == null) throw new IllegalStateException("the options were not mixed into a command");
        return spec;
    }
}
