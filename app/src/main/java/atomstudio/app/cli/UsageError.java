package atomstudio.app.cli;

import atomstudio.app.pipeline.GenerationLimits.NumberLimit;
import atomstudio.tuning.config.SettingTable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// A wrong command line, found after parsing: the process ends with [ExitCode#USAGE] and names the command's help.
final class UsageError extends ParameterException {
    private static final long serialVersionUID = 1;

    UsageError(CommandSpec command, String message) {
        super(command.commandLine(), SettingTable.nameOptions(message));
    }

    /// @throws UsageError unless `min <= value <= max`
    static void requireBetween(CommandSpec command, String option, int value, int min, int max) {
        if (value >= min && value <= max) return;
        throw new UsageError(command, "%s: expected %d to %d, found %d".formatted(option, min, max, value));
    }

    /// @throws UsageError unless the value is within its limits
    static void require(CommandSpec command, String option, NumberLimit limit, double value) {
        if (!limit.contains(value))
            throw new UsageError(command, option + ": expected " + limit + ", found " + NumberLimit.format(value));
    }
}
