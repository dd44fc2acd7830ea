package atomstudio.app.cli;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/// Command-line options made from an enum of settings. Its subclasses are picocli mixins.
abstract class SettingOptions<E extends Enum<E>> {
    private final Class<E> settings;
    private @Nullable CommandSpec command;

    SettingOptions(Class<E> settings) {
        this.settings = settings;
    }

    /// The option of a setting: boolean, or with a text value.
    abstract OptionSpec option(E setting);

    /// The option's name without hyphens.
    abstract String name(E setting);

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void addTo(CommandSpec mixee) {
        command = mixee;
        for (E setting : settings.getEnumConstants()) mixee.addOption(option(setting));
    }

    /// The command that these are mixed into.
    CommandSpec command() {
        CommandSpec spec = command;
        if (spec == null) throw new IllegalStateException("the options were not mixed into a command");
        return spec;
    }

    /// Converts the given values; settings that were not given are absent.
    /// @param yes the value of a boolean option that was given
    /// @param conversion throws IllegalArgumentException with a message that starts with the setting's name
    <V> V convert(String yes, Function<Map<E, String>, V> conversion) {
        Map<E, String> values = new EnumMap<>(settings);
        for (E setting : settings.getEnumConstants()) {
            Object value = command().findOption("--" + name(setting)).getValue();
            if (value instanceof String text) values.put(setting, text);
            else if (Boolean.TRUE.equals(value)) values.put(setting, yes);
        }
        try {
            return conversion.apply(values);
        } catch (IllegalArgumentException error) {
            throw new UsageError(command(), "--" + error.getMessage());
        }
    }
}
