package atomstudio.app.cli;

import atomstudio.app.experiment.ExperimentPlan;
import atomstudio.app.experiment.ExperimentSettings;
import atomstudio.app.experiment.ExperimentSubject;
import atomstudio.app.experiment.MethodVariant;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/// The options of an experiment that determine its rows.
final class ExperimentPlanOptions {
    /// The name of the mixin in the command.
    static final String MIXIN = "planOptions";
    private static final int DEFAULT_SEEDS = 3;
    /// Value of `--methods` for the base model alone.
    private static final String NO_METHODS = "none";

    @Option(names = "--photos", paramLabel = "DIR",
            description = "Folder with one folder of photos per subject. Default: the sample subjects.")
    private @Nullable Path photos;

    @Option(names = "--model", paramLabel = "DIR",
            description = "A model with a CLIP image encoder, as a folder in diffusers' layout. Default: the "
                    + "embedded model.")
    private @Nullable Path model;

    @Option(names = "--phase", paramLabel = "tune|test", converter = PhaseNames.class,
            description = "One phase only. Default: tune, then test.")
    private @Nullable Phase phase;

    @Option(names = "--subjects", paramLabel = "NAMES", split = ",",
            description = "Of boat, clock, ghost (phase tune), owl, cat, car, teapot, violin, backpack (phase test), "
                    + "cactus; or NAME:CLASS for another folder in --photos. Default: all of the phase.")
    private List<String> subjects = List.of();

    @Option(names = "--methods", paramLabel = "NAMES", split = ",",
            description = "Of the methods below, and locon, lora-fa, loha, oft, boft, dora, norm, ssf, difffit, ia3, "
                    + "glora, glora-terms, vera, t-lora, serial-adapter, parallel-adapter, full; none: the base model "
                    + "alone, to compare samplers. Default: the methods below, or none with --variant.")
    private List<String> methods = List.of();

    @Option(names = "--variant", paramLabel = "NAME=OPTIONS",
            description = "Another method, by options of train: --variant \"fast=--method atoms --precision bf16\". "
                    + "Can be "
                    + "repeated; runs in addition to --methods.")
    private Map<String, String> variants = new LinkedHashMap<>();

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "" + DEFAULT_SEEDS,
            description = "Training seeds of atoms, atoms+word and lora-4 in phase test; other methods have one. "
                    + "Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--learning-rate", paramLabel = "METHOD=X",
            description = "The method's only learning rate. Default: three in phase tune, the best of them in phase "
                    + "test.")
    private Map<String, Double> learningRates = new LinkedHashMap<>();

    @Option(names = "--steps-scale", paramLabel = "X", defaultValue = "1",
            description = "Factor on every method's training steps. Default: ${DEFAULT-VALUE}.")
    private double stepsScale;

    @Option(names = "--checkpoints", paramLabel = "N", defaultValue = "4",
            description = "Evaluations per run. Default: ${DEFAULT-VALUE}.")
    private int checkpoints;

    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "fp32", converter = PrecisionNames.class,
            description = "Training precision, as in train: auto, fp32, bf16. Default: ${DEFAULT-VALUE}.")
    private TrainingConfig.PrecisionMode precision = TrainingConfig.PrecisionMode.FP32;

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    /// Whether one of these options was given.
    static boolean isGiven(CommandSpec spec) {
        Set<String> names = spec.mixins()
                .get(MIXIN)
                .options()
                .stream()
                .map(OptionSpec::longestName)
                .collect(Collectors.toSet());
        return spec.commandLine()
                .getParseResult()
                .matchedOptions()
                .stream()
                .anyMatch(option -> names.contains(option.longestName()));
    }

    Path modelPath(CommandContext context) throws Failure {
        return context.modelPath(model).toAbsolutePath().normalize();
    }

    /// @param opened the model of [#modelPath]
    ExperimentSettings settings(CommandContext context, CommandSpec spec, DiffusionModel opened) throws Failure {
        Path photoFolder = photos == null ? context.assets().folder().resolve("subjects") : photos;
        return new ExperimentSettings(modelPath(context), photoFolder.toAbsolutePath().normalize(),
                sampling.settings(context, opened), precision, plan(spec));
    }

    private ExperimentPlan plan(CommandSpec spec) throws Failure {
        List<MethodVariant> selected = new ArrayList<>();
        if (methods.isEmpty() && variants.isEmpty()) selected.addAll(MethodVariant.COMPARED);
        if (!methods.equals(List.of(NO_METHODS))) {
            for (String name : methods) selected.add(knownVariant(spec, "--methods", name));
        }
        variants.forEach((name, options) -> selected.add(customVariant(spec, name, options)));
        for (String name : learningRates.keySet()) {
            if (!variants.containsKey(name)) knownVariant(spec, "--learning-rate", name);
        }
        for (String name : subjects) {
            if (ExperimentSubject.ofName(name).isEmpty())
                throw new UsageError(spec,
                        "--subjects: expected names of " + String.join(", ", ExperimentSubject.names()) + ", found "
                                + name);
        }
        try {
            return new ExperimentPlan(phase == null ? List.of(Phase.values()) : List.of(phase), subjects, selected,
                    seeds, learningRates, new ExperimentPlan.RunLength(stepsScale, checkpoints));
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    private MethodVariant customVariant(CommandSpec spec, String name, String options) {
        if (MethodVariant.ofName(name).isPresent() || !name.matches("[\\w+.-]+"))
            throw new UsageError(spec,
                    "--variant: expected an unused name of letters, digits, + . and -, found \"" + name + "\"");
        try {
            return MethodVariant.of(name, options);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    private MethodVariant knownVariant(CommandSpec spec, String option, String name) {
        return MethodVariant.ofName(name)
                .orElseThrow(() -> new UsageError(spec,
                        option + ": expected names of " + String.join(", ", MethodVariant.names()) + ", found "
                                + name));
    }

    static final class PrecisionNames extends NamedValues<TrainingConfig.PrecisionMode> {
        PrecisionNames() {
            super(TrainingConfig.PrecisionMode.values(), TrainingConfig.PrecisionMode::option);
        }
    }

    private static final class PhaseNames extends NamedValues<Phase> {
        PhaseNames() {
            super(Phase.values(), Phase::label);
        }
    }
}
