package atomstudio.app.cli;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.method.Setting;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Which method is tuned, and its settings: the options are made from the family of methods, so that nothing is written twice.
@Command
final class MethodOptions {
    private static final String METHOD_OPTION = "--method";

    private @Nullable CommandSpec command;

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void command(CommandSpec mixee) {
        command = mixee;
        String names = MethodSettings.names();
        mixee.addOption(OptionSpec.builder(METHOD_OPTION).type(String.class).required(true).paramLabel("NAME").completionCandidates(Stream.of(Choice.values()).map(Choice::command).toList())
                .description("One of " + names + ". `studio methods` says what each tunes.").build());
        for (Setting setting : Setting.values()) mixee.addOption(option(setting));
    }

    private static OptionSpec option(Setting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + setting.command()).description(setting.description() + applicableMethods(setting));
        return switch (setting) {
            case TEXT_ENCODER -> builder.type(boolean.class).arity("0").build();
            case ATOMS, M1, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK, LAYERS, ALSO -> builder.type(String.class).paramLabel(setting.label()).build();
        };
    }

    /// With what it belongs to, where that is not every method.
    private static String applicableMethods(Setting setting) {
        String methods = Stream.of(Choice.values()).filter(choice -> choice.settings().contains(setting)).map(Choice::command).collect(Collectors.joining(", "));
        return switch (setting) {
            case ALSO, TEXT_ENCODER, LAYERS -> "";
            case ATOMS, M1, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK -> " For " + methods + ".";
        };
    }

    /// What was asked for.
    MethodSettings settings() {
        CommandSpec spec = requireSpec();
        try {
            Choice choice = Choice.named(spec.findOption(METHOD_OPTION).getValue());
            Map<Setting, String> values = new EnumMap<>(Setting.class);
            for (Setting setting : Setting.values()) {
                Object value = spec.findOption("--" + setting.command()).getValue();
                if (value instanceof String text) values.put(setting, text);
                else if (Boolean.TRUE.equals(value)) values.put(setting, Setting.YES);
            }
            return MethodSettings.chosen(choice, values);
        } catch (IllegalArgumentException error) {
            throw new ParameterException(spec.commandLine(), "--" + error.getMessage());
        }
    }

    private CommandSpec requireSpec() {
        CommandSpec spec = command;
        if (spec == null) throw new IllegalStateException("the options were not mixed into a command");
        return spec;
    }
}
