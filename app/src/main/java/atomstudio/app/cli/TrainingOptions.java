package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.ChosenSettings;
import atomstudio.tuning.config.ConfigFile;
import atomstudio.tuning.config.Preset;
import atomstudio.tuning.config.SettingTable;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ModelSize;
import atomstudio.tuning.setting.OptionValue;
import atomstudio.tuning.setting.Setting;
import atomstudio.tuning.setting.SettingType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/// The tuning method and every setting, as options made from the table of settings.
@Command
final class TrainingOptions {
    private static final String METHOD = "--method";
    private static final String PRESET = "--preset";
    private static final String CONFIG = "--config";

    private @Nullable CommandSpec command;

    /// Adds the options to the command that these are mixed into.
    @Spec(Spec.Target.MIXEE)
    void addTo(CommandSpec mixee) {
        command = mixee;
        mixee.addOption(OptionSpec.builder(METHOD)
                .type(String.class)
                .paramLabel("NAME")
                .completionCandidates(Stream.of(MethodName.values()).map(MethodName::option).toList())
                .description("One of " + MethodName.options() + ". `studio methods` lists their settings. Required "
                        + "unless --config has it, or --from is given.")
                .build());
        mixee.addOption(OptionSpec.builder(PRESET)
                .type(String.class)
                .paramLabel("NAME")
                .completionCandidates(Stream.of(Preset.values()).map(Preset::option).toList())
                .description("Settings chosen together; other options win over them. "
                        + SettingTable.nameOptions(Preset.descriptions()) + ".")
                .build());
        mixee.addOption(OptionSpec.builder(CONFIG)
                .type(List.class)
                .auxiliaryTypes(Path.class)
                .paramLabel("FILE")
                .description("TOML file with settings by their names, such as `studio export RUN --format toml` "
                        + "writes. Options win over it. Several: a later one wins.")
                .build());
        SettingTable.ALL.forEach(setting -> mixee.addOption(option(setting)));
    }

    static OptionSpec option(Setting setting) {
        OptionSpec.Builder builder = OptionSpec.builder("--" + setting.option()).description(help(setting));
        if (setting.isFlag()) return builder.type(Boolean.class).arity("0").negatable(true).build();
        if (!setting.allowedValues().isEmpty()) builder.completionCandidates(setting.allowedValues());
        builder.paramLabel(setting.valueLabel());
        return setting.row().type().kind() == SettingType.Kind.ITEMS
                ? builder.type(List.class).auxiliaryTypes(String.class).build()
                : builder.type(String.class).build();
    }

    private static String help(Setting setting) {
        String methods = setting.methods().isEmpty() ? "" : " For " + String.join(", ", setting.methods()) + ".";
        String value = setting.commonDefault();
        boolean hasDefault = !setting.isFlag() && !setting.description().contains("Default:");
        return SettingTable.nameOptions(setting.description()) + methods
                + (hasDefault ? " Default: " + (value.isEmpty() ? "none" : value) + "." : "");
    }

    /// What was given: on the command line, then in the files of `--config`.
    /// @param inputs of the files
    record Given(ChosenSettings settings, Map<ConfigFile.Input, String> inputs) {}

    /// @param notes receives the notes on the files
    Given given(Consumer<String> notes) throws Failure.Unreadable {
        ChosenSettings settings = ChosenSettings.NONE;
        Map<ConfigFile.Input, String> inputs = new EnumMap<>(ConfigFile.Input.class);
        List<Path> files = command().findOption(CONFIG).getValue();
        for (Path file : files == null ? List.<Path>of() : files) {
            ConfigFile config = ConfigFile.read(file);
            config.notes().forEach(notes);
            settings = config.settings().over(settings);
            inputs.putAll(config.inputs());
        }
        return new Given(onCommandLine().over(settings), inputs);
    }

    /// @param continued the settings of the adapter whose training goes on, which cannot change
    MethodSettings method(Given given, Optional<MethodSettings> continued) {
        if (continued.isPresent()) return requireUnchanged(given.settings(), continued.get());
        MethodName name = given.settings()
                .method()
                .orElseThrow(() -> new UsageError(command(), "Missing required option: '--method=NAME'"));
        return requireValid(() -> given.settings().methodSettings(name));
    }

    private MethodSettings requireUnchanged(ChosenSettings chosen, MethodSettings continued) {
        List<String> changed = new ArrayList<>();
        chosen.method()
                .filter(method -> method != continued.choice())
                .ifPresent(method -> changed.add(METHOD + " " + continued.name()));
        chosen.values().forEach((setting, value) -> {
            boolean differs = setting instanceof MethodSetting ofMethod
                    && !requireValid(() -> ofMethod.canonical(value)).equals(continued.value(ofMethod));
            if (differs) changed.add("--" + setting.option() + " " + continued.value((MethodSetting) setting));
        });
        if (changed.isEmpty()) return continued;
        throw new UsageError(command(),
                "--from: the adapter has " + String.join(" ", changed.stream().sorted().toList())
                        + ", which cannot change; leave these options out");
    }

    /// @param size of the model that is trained
    TrainingConfig config(Given given, MethodSettings method, ModelSize size) {
        return requireValid(() -> given.settings().trainingSettings(method, size).toConfig(method, size));
    }

    /// Settings that were not given are absent.
    private ChosenSettings onCommandLine() {
        Map<Setting, String> values = new HashMap<>();
        for (Setting setting : SettingTable.ALL)
            value("--" + setting.option()).ifPresent(value -> values.put(setting, text(value)));
        return requireValid(() -> new ChosenSettings(value(METHOD).map(name -> MethodName.ofOption(name.toString())),
                value(PRESET).map(name -> preset(name.toString())), values));
    }

    static String text(Object value) {
        return switch (value) {
            case Boolean flag -> flag ? Setting.YES : Setting.NO;
            case List<?> items -> items.stream().map(Object::toString).collect(Collectors.joining(";"));
            default -> value.toString();
        };
    }

    private static Preset preset(String name) {
        return OptionValue.ofOption(Preset.class, name)
                .orElseThrow(() -> new IllegalArgumentException("preset: expected one of "
                        + Stream.of(Preset.values()).map(Preset::option).collect(Collectors.joining(", "))
                        + ", found \"" + name + "\""));
    }

    private Optional<Object> value(String option) {
        return Optional.ofNullable(command().findOption(option).getValue());
    }

    /// @param conversion throws IllegalArgumentException with a message that starts with the setting's name
    private <V> V requireValid(Supplier<V> conversion) {
        try {
            return conversion.get();
        } catch (IllegalArgumentException error) {
            throw new UsageError(command(), "--" + error.getMessage());
        }
    }

    private CommandSpec command() {
        CommandSpec spec = command;
        if (spec == null) throw new IllegalStateException("the options were not mixed into a command");
        return spec;
    }
}
