package atomstudio.app.cli;

import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
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

/// Which method is tuned, and its settings: the options are made from the family of methods, so that nothing is
/// written twice.
@Command
final class MethodOptions {
    private static final String METHOD_OPTION = "--method";

    private @Nullable CommandSpec command;

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void command(CommandSpec mixee) {
        command = mixee;
        String names = MethodName.options();
        mixee.addOption(OptionSpec.builder(METHOD_OPTION)
                .type(String.class)
                .required(true)
                .paramLabel("NAME")
                .completionCandidates(Stream.of(MethodName.values()).map(MethodName::option).toList())
                .description("One of " + names + ". `studio methods` says what each tunes.")
                .build());
        for (MethodSetting setting : MethodSetting.values())
            OptionAliases.add(mixee, option(setting), setting.aliases());
    }

    private static OptionSpec option(MethodSetting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + setting.option())
                .description(setting.description() + applicableMethods(setting));
        return switch (setting) {
            case TRAIN_TEXT_ENCODER -> builder.type(boolean.class).arity("0").build();
            case ATOMS, INNER_ATOMS, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK_SIZE, LAYERS,
                    COMBINE_WITH ->
                    builder.type(String.class).paramLabel(setting.valueLabel()).build();
        };
    }

    /// With what it belongs to, where that is not every method.
    private static String applicableMethods(MethodSetting setting) {
        String methods = Stream.of(MethodName.values())
                .filter(choice -> choice.settings().contains(setting))
                .map(MethodName::option)
                .collect(Collectors.joining(", "));
        return switch (setting) {
            case COMBINE_WITH, TRAIN_TEXT_ENCODER, LAYERS -> "";
            case ATOMS, INNER_ATOMS, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK_SIZE ->
                    " For " + methods + ".";
        };
    }

    /// What was asked for.
    MethodSettings settings() {
        CommandSpec spec = requireSpec();
        try {
            MethodName choice = MethodName.ofOption(spec.findOption(METHOD_OPTION).getValue());
            Map<MethodSetting, String> values = new EnumMap<>(MethodSetting.class);
            for (MethodSetting setting : MethodSetting.values()) {
                Object value = OptionAliases.value(spec, setting.option(), setting.aliases());
                if (value != null) values.put(setting, value instanceof String text ? text : MethodSetting.YES);
            }
            return MethodSettings.of(choice, values);
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
