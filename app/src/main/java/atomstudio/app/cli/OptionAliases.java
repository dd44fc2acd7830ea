package atomstudio.app.cli;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/// Options with older names, which still work but are not in the help.
final class OptionAliases {
    private OptionAliases() {}

    /// @param aliases without the leading `--`
    static void add(CommandSpec command, OptionSpec option, List<String> aliases) {
        command.addOption(option);
        for (String alias : aliases)
            command.addOption(OptionSpec.builder(option).names("--" + alias).hidden(true).build());
    }

    /// The value of an option under its name or an alias; null if it was not given.
    /// @param name without the leading `--`
    /// @throws ParameterException that has both names when it was given under two
    static @Nullable Object value(CommandSpec command, String name, List<String> aliases) {
        List<OptionSpec> found = Stream.concat(Stream.of(name), aliases.stream())
                .map(each -> command.findOption("--" + each))
                .filter(option -> option.getValue() != null && !Boolean.FALSE.equals(option.getValue()))
                .toList();
        if (found.size() > 1)
            throw new ParameterException(command.commandLine(), found.get(0).longestName() + " and "
                    + found.get(1).longestName() + " are names of the same option; use one of them");
        return found.isEmpty() ? null : found.getFirst().getValue();
    }
}
