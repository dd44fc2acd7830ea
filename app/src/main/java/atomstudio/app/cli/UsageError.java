package atomstudio.app.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// A wrong command line, found after parsing: the process ends with [ExitCode#USAGE] and names the command's help.
final class UsageError extends ParameterException {
    private static final long serialVersionUID = 1;

    UsageError(CommandSpec command, String message) {
        super(command.commandLine(), message);
    }

    /// @throws UsageError unless `min <= value <= max`
    static void requireBetween(CommandSpec command, String option, int value, int min, int max) {
        if (value >= min && value <= max) return;
        throw new UsageError(command, "%s: expected %d to %d, found %d".formatted(option, min, max, value));
    }

    /// @throws UsageError unless the value is a share, 0 to 1
    static void requireShare(CommandSpec command, String option, double value) {
        if (!(value >= 0 && value <= 1)) throw new UsageError(command, option + ": expected 0 to 1, found " + value);
    }
}
