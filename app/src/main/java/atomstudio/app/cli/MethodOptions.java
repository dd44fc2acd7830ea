package atomstudio.app.cli;

import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The tuning method and its settings.
@Command
final class MethodOptions extends SettingOptions<MethodSetting> {
    private static final String METHOD_OPTION = "--method";

    MethodOptions() {
        super(MethodSetting.class);
    }

    @Override
    void addTo(CommandSpec mixee) {
        mixee.addOption(OptionSpec.builder(METHOD_OPTION)
                .type(String.class)
                .required(true)
                .paramLabel("NAME")
                .completionCandidates(Stream.of(MethodName.values()).map(MethodName::option).toList())
                .description("One of " + MethodName.options() + ". `studio methods` lists their settings.")
                .build());
        super.addTo(mixee);
    }

    @Override
    OptionSpec option(MethodSetting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + name(setting))
                .description(setting.description() + applicableMethods(setting));
        return switch (setting) {
            case TRAIN_TEXT_ENCODER -> builder.type(boolean.class).arity("0").build();
            case ATOMS, INNER_ATOMS, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK_SIZE, LAYERS,
                    COMBINE_WITH -> builder.type(String.class).paramLabel(setting.valueLabel()).build();
        };
    }

    @Override
    String name(MethodSetting setting) {
        return setting.option();
    }

    /// The methods with this setting, unless all have it.
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

    MethodSettings settings() {
        return convert(MethodSetting.YES, values -> MethodSettings
                .of(MethodName.ofOption(command().findOption(METHOD_OPTION).getValue()), values));
    }
}
