package atomstudio.app.cli;

import atomstudio.app.experiment.ChildProcessTrialTrainer;
import atomstudio.app.experiment.Experiment;
import atomstudio.app.experiment.ExperimentPlan;
import atomstudio.app.experiment.ExperimentRow;
import atomstudio.app.experiment.ExperimentSubject;
import atomstudio.app.experiment.ExperimentSummary;
import atomstudio.app.experiment.ExperimentTable;
import atomstudio.app.experiment.MethodVariant;
import atomstudio.app.experiment.Plot;
import atomstudio.app.experiment.Trial;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio experiment`: compares tuning methods over several subjects, as a table and a plot.
@Command(
        name = "experiment",
        description = "Compares tuning methods. Phase tune selects each method's learning rate on three subjects; "
                + "phase "
                + "test trains on six others. Every run is evaluated at four checkpoints, and each evaluation adds a "
                + "row "
                + "to experiment.csv: trainable parameters, file size, seconds, memory, likeness, diversity, "
                + "alignment. "
                + "If interrupted, the same command continues. Subjects of a class that the model knows and of a new "
                + "class are reported separately.",
        footer = {"",
                "The whole experiment takes hours. Methods: atoms, atoms+word (with a trained word), overcomplete, "
                        + "overcomplete+word, channels, atoms+channels, overcomplete+channels, atoms-up (only the up "
                        + "blocks), lora-4, lora+word, lora-16, lokr, bitfit, textual-inversion. Rows \"untuned\" and "
                        + "\"untuned-token\": the base model with the class alone and with trigger word and class.",
                "", "Examples:",
                "  studio experiment --out experiment",
                "  studio experiment --out experiment --phase tune --methods atoms,lora-4 --subjects boat",
                "  studio experiment --out experiment --phase test --learning-rate atoms=1e-2 --seeds 1",
                "  studio experiment --out experiment --plot --table"})
final class ExperimentCommand implements Callable<Integer>, Experiment.ExperimentListener {
    private static final int DEFAULT_SEEDS = 3;
    /// Value of `--methods` for the base model alone.
    private static final String NO_METHODS = "none";

    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Folder for experiment.csv, experiment.png, pictures/ and runs/.")
    private Path out = Path.of("");

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
                    + "glora, glora-terms, vera, full; none: the base model alone, to compare samplers. "
                    + "Default: the methods below, or none with --variant.")
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

    @Option(names = "--plot", description = "Only draw experiment.png from the existing table.")
    private boolean plotOnly;

    @Option(names = "--table", description = "Only print the existing table, averaged, in Markdown.")
    private boolean tableOnly;

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Spec
    private CommandSpec spec;

    ExperimentCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        Path assetsFolder = context.assets().folder();
        ModelReference modelReference = new ModelReference(context.modelPath(model),
                ModelLoadOptions.ofTokenizerFolders(context.tokenizerLocations()));
        Experiment.ExperimentSetup setup = new Experiment.ExperimentSetup(modelReference,
                photos == null ? assetsFolder.resolve("subjects") : photos, out, device.deviceForTrainingToo(context),
                new BaseModelHashes(context.home().baseHashes()),
                sampling.settings(context, modelReference.open()), precision);
        if (plotOnly || tableOnly) return showExisting(setup);
        ExperimentPlan plan = plan();
        ChildProcessLauncher trainer = ChildProcessLauncher.ofThisProgram(context.home());
        Experiment.ExperimentResult result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            result = new Experiment(setup, new ChildProcessTrialTrainer(trainer, precision), this,
                    context.stopSignal()::requested).run(plan);
        }
        if (result.stopped()) {
            context.terminal().printNote("Stopped; the same command continues.");
            return ExitCode.CANCELLED;
        }
        writePlot(result.table());
        context.terminal().printResult(setup.tableFile().toString());
        if (!result.failures().isEmpty())
            context.terminal().printNote(result.failures().size() + " failed; see above.");
        return result.failures().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private int showExisting(Experiment.ExperimentSetup setup) throws Failure {
        if (!Files.exists(setup.tableFile()))
            throw new Failure.Unreadable(setup.tableFile()
                    + ": expected the table of an experiment, found nothing; run the experiment first, without "
                    + "--plot and --table");
        ExperimentTable results = ExperimentTable.open(setup.tableFile());
        if (tableOnly) context.terminal().printResult(ExperimentSummary.markdown(results.rows()));
        if (plotOnly) writePlot(results);
        return ExitCode.SUCCESS;
    }

    private void writePlot(ExperimentTable results) throws Failure {
        Path file = out.resolve("experiment.png");
        PngWriter.write(file, Plot.draw(results.rows()), Map.of());
        context.terminal().printResult(file.toString());
    }

    private ExperimentPlan plan() throws Failure {
        List<MethodVariant> selected = new ArrayList<>();
        if (methods.isEmpty() && variants.isEmpty()) selected.addAll(MethodVariant.COMPARED);
        if (!methods.equals(List.of(NO_METHODS))) {
            for (String name : methods) selected.add(knownVariant("--methods", name));
        }
        variants.forEach((name, options) -> selected.add(customVariant(name, options)));
        for (String name : learningRates.keySet()) {
            if (!variants.containsKey(name)) knownVariant("--learning-rate", name);
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

    private MethodVariant customVariant(String name, String options) {
        if (MethodVariant.ofName(name).isPresent() || !name.matches("[\\w+.-]+"))
            throw new UsageError(spec,
                    "--variant: expected an unused name of letters, digits, + . and -, found \"" + name + "\"");
        try {
            return MethodVariant.of(name, options);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
    }

    private MethodVariant knownVariant(String option, String name) {
        return MethodVariant.ofName(name)
                .orElseThrow(() -> new UsageError(spec,
                        option + ": expected names of " + String.join(", ", MethodVariant.names()) + ", found "
                                + name));
    }

    @Override
    public void trialStarted(int number, int total, Trial trial) {
        context.terminal()
                .printNote(String.format(Locale.ROOT, "%s %d/%d  %s", trial.phase().label(), number, total,
                        trial.folderName()));
    }

    @Override
    public void rowAdded(ExperimentRow entry) {
        context.terminal().printNote("  " + ExperimentSummary.line(entry));
    }

    @Override
    public void note(String line) {
        context.terminal().printNote(line);
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
