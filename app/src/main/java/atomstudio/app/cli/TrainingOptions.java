package atomstudio.app.cli;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.Choice;
import atomstudio.tuning.train.Recipe;
import atomstudio.tuning.train.TrainingSetting;
import atomstudio.tuning.train.TrainingSettings;
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
        for (TrainingSetting setting : TrainingSetting.values()) mixee.addOption(option(setting));
    }

    private static OptionSpec option(TrainingSetting setting) {
        OptionSpec.Builder option = OptionSpec.builder("--" + setting.command()).description(setting.description() + usual(setting));
        if (setting.flag()) return option.type(boolean.class).arity("0").build();
        if (!setting.names().isEmpty()) option.completionCandidates(setting.names());
        return option.type(String.class).paramLabel(setting.label()).build();
    }

    /// The default, where it is the same for every method and the description does not say it already.
    private static String usual(TrainingSetting setting) {
        String usual = TrainingSettings.USUAL.usual(setting, MethodSettings.of(Choice.values()[0]));
        return setting.flag() || setting.description().contains("Default:") ? "" : " Default: " + (usual.isEmpty() ? "none" : usual) + ".";
    }

    /// What was asked for.
    Recipe recipe(MethodSettings method) {
        CommandSpec asked = command;
        if (asked == null) throw new IllegalStateException("the options were not mixed into a command");
        Map<TrainingSetting, String> chosen = new EnumMap<>(TrainingSetting.class);
        for (TrainingSetting setting : TrainingSetting.values()) {
            Object value = asked.findOption("--" + setting.command()).getValue();
            if (value instanceof String text) chosen.put(setting, text);
            else if (Boolean.TRUE.equals(value)) chosen.put(setting, TrainingSetting.YES);
        }
        try {
            return new TrainingSettings(chosen).recipe(method);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(asked.commandLine(), "--" + wrong.getMessage());
        }
    }
}
