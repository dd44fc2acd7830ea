package atomstudio.app.cli;

import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodName;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// How a method is trained: options made from the family of training settings, so that nothing is written twice.
@Command
final class TrainingOptions {
    private @Nullable CommandSpec command;

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void command(CommandSpec mixee) {
        command = mixee;
        for (TrainingSetting setting : TrainingSetting.values())
            OptionAliases.add(mixee, option(setting), setting.aliases());
    }

    private static OptionSpec option(TrainingSetting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + setting.option())
                .description(setting.description() + defaultText(setting));
        if (setting.isFlag()) return builder.type(boolean.class).arity("0").build();
        if (!setting.allowedValues().isEmpty()) builder.completionCandidates(setting.allowedValues());
        return builder.type(String.class).paramLabel(setting.valueLabel()).build();
    }

    /// The default, where it is the same for every method and the description does not say it already.
    private static String defaultText(TrainingSetting setting) {
        String defaultValue = TrainingSettings.DEFAULTS.defaultValue(setting,
                MethodSettings.of(MethodName.values()[0]));
        return setting.isFlag() || setting.description().contains("Default:") ? ""
                : " Default: " + (defaultValue.isEmpty() ? "none" : defaultValue) + ".";
    }

    /// What was asked for.
    TrainingConfig trainingConfig(MethodSettings method) {
        CommandSpec spec = command;
        if (spec == null) throw new IllegalStateException("the options were not mixed into a command");
        Map<TrainingSetting, String> values = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) {
            Object value = OptionAliases.value(spec, setting.option(), setting.aliases());
            if (value != null) values.put(setting, value instanceof String text ? text : TrainingSetting.YES);
        }
        try {
            return new TrainingSettings(values).toConfig(method);
        } catch (IllegalArgumentException error) {
            throw new ParameterException(spec.commandLine(), "--" + error.getMessage());
        }
    }
}
