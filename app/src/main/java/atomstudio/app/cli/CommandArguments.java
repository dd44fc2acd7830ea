package atomstudio.app.cli;

import atomstudio.tuning.config.SettingTable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/// Prepares arguments for picocli: replaces other names of options, mostly those of earlier versions, which work but
/// are not listed in the help, and rejects an option whose value is missing.
final class CommandArguments {
    /// By other name; those of the settings are added below.
    private static final Map<String, String> CURRENT_NAMES = new HashMap<>(Map.of(
            "--guidance", "--cfg-scale",
            "--negative", "--negative-prompt",
            "--strength", "--adapter-weight",
            "--denoise", "--denoising-strength",
            "--hires", "--hires-scale",
            "--safety", "--safety-checker",
            "--pictures", "--photos",
            "--token", "--trigger-word",
            "--tune-steps", "--train-steps"));

    static {
        SettingTable.ALL.forEach(setting -> addAliases(setting.option(), setting.aliases()));
    }

    private CommandArguments() {}

    private static void addAliases(String option, List<String> aliases) {
        aliases.forEach(alias -> CURRENT_NAMES.put("--" + alias, "--" + option));
    }

    /// The arguments with today's option names.
    ///
    /// picocli takes any argument after an option as its value, so that a prompt may be any text. An option name in
    /// that place is a mistake (`--run --json`) unless it is attached: `--prompt=--json`.
    /// @throws ParameterException for an option that is followed by another option instead of its value
    static String[] prepare(CommandLine program, String... arguments) {
        String[] prepared = arguments.clone();
        CommandLine command = program;
        for (int i = 0; i < prepared.length && !prepared[i].equals("--"); i++) {
            CommandLine subcommand = command.getSubcommands().get(prepared[i]);
            if (subcommand != null) {
                command = subcommand;
                continue;
            }
            Map<String, OptionSpec> options = command.getCommandSpec().optionsMap();
            prepared[i] = currentName(options, prepared[i]);
            OptionSpec option = options.get(prepared[i]);
            if (option == null || option.arity().max() == 0 || i + 1 == prepared.length) continue;
            i++;
            if (options.containsKey(currentName(options, prepared[i])))
                throw new ParameterException(command,
                        "Expected parameter for option '%s' but found '%s'; if that is its value, write %s=%s"
                                .formatted(option.longestName(), prepared[i], option.longestName(), prepared[i]));
        }
        return prepared;
    }

    private static String currentName(Map<String, OptionSpec> options, String argument) {
        int end = argument.indexOf('=');
        String name = end < 0 ? argument : argument.substring(0, end);
        String current = CURRENT_NAMES.get(name);
        return current == null || options.containsKey(name) || !options.containsKey(current) ? argument
                : current + argument.substring(name.length());
    }
}
