package atomstudio.app.cli;

import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.config.TrainingSettings;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;

/// The training settings.
@Command
final class TrainingOptions extends SettingOptions<TrainingSetting> {
    TrainingOptions() {
        super(TrainingSetting.class);
    }

    @Override
    OptionSpec option(TrainingSetting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + name(setting))
                .description(setting.description() + defaultText(setting));
        if (setting.isFlag()) return builder.type(boolean.class).arity("0").build();
        if (!setting.allowedValues().isEmpty()) builder.completionCandidates(setting.allowedValues());
        return builder.type(String.class).paramLabel(setting.valueLabel()).build();
    }

    @Override
    String name(TrainingSetting setting) {
        return setting.option();
    }

    /// The default, if it is the same for every method and not in the description.
    private static String defaultText(TrainingSetting setting) {
        String defaultValue = TrainingSettings.DEFAULTS.defaultValue(setting,
                MethodSettings.of(MethodName.values()[0]));
        return setting.isFlag() || setting.description().contains("Default:") ? ""
                : " Default: " + (defaultValue.isEmpty() ? "none" : defaultValue) + ".";
    }

    TrainingConfig trainingConfig(MethodSettings method) {
        return convert(TrainingSetting.YES, values -> new TrainingSettings(values).toConfig(method));
    }
}
