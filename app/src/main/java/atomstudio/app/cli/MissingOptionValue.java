package atomstudio.app.cli;

import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// An option whose value was forgotten: `--run --json`. The parser takes what stands after an option as its value whatever it looks like, so
/// that a prompt may be anything; an option's name there is a mistake unless it is attached: `--prompt=--json`.
record MissingOptionValue(CommandLine command, String option, String found) {
    /// The first one of a command line, if there is one.
    static Optional<MissingOptionValue> in(CommandLine program, String... arguments) {
        CommandLine command = program;
        for (int i = 0; i < arguments.length && !arguments[i].equals("--"); i++) {
            CommandLine subcommand = command.getSubcommands().get(arguments[i]);
            if (subcommand != null) {
                command = subcommand;
                continue;
            }
            OptionSpec option = command.getCommandSpec().optionsMap().get(arguments[i]);
            if (option == null || option.arity().max() == 0 || i + 1 == arguments.length) continue;
            String next = arguments[++i];
            if (command.getCommandSpec().optionsMap().containsKey(next)) return Optional.of(new MissingOptionValue(command, option.longestName(), next));
        }
        return Optional.empty();
    }

    String message() {
        return "Expected parameter for option '%s' but found '%s'; if that is its value, write %s=%s".formatted(option, found, option, found);
    }
}
