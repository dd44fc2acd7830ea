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
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `studio experiment`: methods against each other, measured, as a table that grows and a plot.
@Command(
        name = "experiment",
        description = "Compares tuning methods: chooses each method's rate on three subjects (phase tune), then tunes six others that no choice has "
                + "seen (phase test), looks at every run four times, and adds a row a look to experiment.csv: numbers tuned, file size, seconds, memory, likeness, "
                + "diversity, alignment. Killed or stopped, the same command goes on; rows that are there are not done again. "
                + "Subjects whose class the model knows and those that it has never seen stand apart.",
        footer = {"",
                "All of it takes hours. Methods: atoms, atoms+word (with a word trained beside them), overcomplete, overcomplete+word, channels, atoms+channels, overcomplete+channels,",
                "atoms-up (the up blocks only), lora-4, lora+word, lora-16, lokr, bitfit, textual-inversion. Rows \"untuned\" and \"untuned-token\" are the model as it is, asked for the class word without and with the token.",
                "", "Examples:",
                "  studio experiment --out experiment",
                "  studio experiment --out experiment --phase tune --methods atoms,lora-4 --subjects boat --checkpoints 1",
                "  studio experiment --out experiment --phase test --rate atoms=1e-2 --rate lora-4=4e-3 --seeds 1",
                "  studio experiment --out experiment --plot --table"})
final class ExperimentCommand implements Callable<Integer>, Experiment.TrialListener {
    private static final int DEFAULT_SEEDS = 3;
    /// In place of methods: the untuned model alone.
    private static final String NO_METHODS = "none";

    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Where experiment.csv, experiment.png, pictures/ and runs/ go.")
    private Path out = Path.of("");

    @Option(names = "--pictures", paramLabel = "DIR",
            description = "A folder with a folder of pictures for each subject. Default: the embedded subjects.")
    private @Nullable Path photos;

    @Option(names = "--model", paramLabel = "DIR",
            description = "A model with a vision tower: a folder in diffusers' layout. Default: the embedded model.")
    private @Nullable Path model;

    @Option(names = "--phase", paramLabel = "tune|test", converter = PhaseConverter.class,
            description = "One phase only. Default: tune, then test.")
    private @Nullable Phase phase;

    @Option(names = "--subjects", paramLabel = "NAMES", split = ",",
            description = "Of boat, clock, ghost (phase tune), owl, cat, car, teapot, violin, backpack (phase test), cactus; or NAME:CLASS for a folder of your own in --pictures. Default: all of the phase.")
    private List<String> subjects = List.of();

    @Option(names = "--methods", paramLabel = "NAMES", split = ",",
            description = "Of those that are compared, and locon, loha, oft, dora, norm, ssf, difffit, glora, full; none: the untuned model alone, to compare samplers. Default: those that are compared; none beside --variant.")
    private List<String> methods = List.of();

    @Option(names = "--variant", paramLabel = "NAME=OPTIONS",
            description = "One more method, by options of tune: --variant \"fast=--method atoms --precision bf16\". Repeat it for more; they run beside --methods.")
    private Map<String, String> variants = new LinkedHashMap<>();

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "" + DEFAULT_SEEDS,
            description = "Training seeds of atoms and lora-4 in phase test; the others have one. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--rate", paramLabel = "METHOD=X",
            description = "The method's only learning rate. Default in phase tune: three; in phase test: the best of these.")
    private Map<String, Double> learningRates = new LinkedHashMap<>();

    @Option(names = "--steps-scale", paramLabel = "X", defaultValue = "1",
            description = "Multiplies every method's steps. Default: ${DEFAULT-VALUE}.")
    private double stepsScale;

    @Option(names = "--checkpoints", paramLabel = "N", defaultValue = "4",
            description = "How many times a run is looked at. Default: ${DEFAULT-VALUE}.")
    private int checkpoints;

    @Option(names = "--precision", paramLabel = "NAME", defaultValue = "fp32", converter = PrecisionConverter.class,
            description = "Of training, as in tune: auto, fp32, bf16. Default: ${DEFAULT-VALUE}.")
    private TrainingConfig.PrecisionMode precision = TrainingConfig.PrecisionMode.FP32;

    @Option(names = "--plot", description = "Run nothing; draw experiment.png from the table as it is.")
    private boolean plotOnly;

    @Option(names = "--table", description = "Run nothing; print the table as it is, averaged, in Markdown.")
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
                photos == null ? assetsFolder.resolve("subjects") : photos, out, device.device(),
                new BaseModelHashes(context.home().baseHashes()),
                sampling.settings(context, modelReference.open()), precision);
        if (plotOnly || tableOnly) return showExisting(setup);
        ExperimentPlan plan = plan();
        ChildProcessLauncher trainer = new ChildProcessLauncher(
                ChildProcessLauncher.currentProgram(Main.class.getName()), context.home());
        Experiment.ExperimentResult result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            result = new Experiment(setup, new ChildProcessTrialTrainer(trainer, precision), this).run(plan);
        }
        if (result.stopped()) {
            context.terminal().printNote("Stopped; the same command goes on where it was.");
            return ExitCode.CANCELLED;
        }
        writePlot(result.table());
        context.terminal().printResult(setup.tableFile().toString());
        if (!result.failures().isEmpty())
            context.terminal().printNote(result.failures().size() + " could not be made; they are named above.");
        return result.failures().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private int showExisting(Experiment.ExperimentSetup setup) throws Failure {
        if (!Files.exists(setup.tableFile()))
            throw new Failure.Unreadable(setup.tableFile()
                    + ": expected the table of an experiment, found nothing; run it first, without --plot and --table");
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
            if (!variants.containsKey(name)) knownVariant("--rate", name);
        }
        for (String name : subjects) {
            if (ExperimentSubject.ofName(name).isEmpty())
                throw usageError(
                        "--subjects: expected of " + String.join(", ", ExperimentSubject.names()) + ", found " + name);
        }
        try {
            return new ExperimentPlan(phase == null ? List.of(Phase.values()) : List.of(phase), subjects, selected,
                    seeds, learningRates, new ExperimentPlan.RunLength(stepsScale, checkpoints));
        } catch (IllegalArgumentException error) {
            throw usageError("--" + error.getMessage());
        }
    }

    private MethodVariant customVariant(String name, String options) {
        if (MethodVariant.ofName(name).isPresent() || !name.matches("[\\w+.-]+"))
            throw usageError(
                    "--variant: expected a name of its own, of letters, digits, + . and -, found \"" + name + "\"");
        try {
            return MethodVariant.of(name, options);
        } catch (IllegalArgumentException error) {
            throw usageError("--" + error.getMessage());
        }
    }

    private MethodVariant knownVariant(String option, String name) {
        return MethodVariant.ofName(name)
                .orElseThrow(() -> usageError(
                        option + ": expected of " + String.join(", ", MethodVariant.names()) + ", found " + name));
    }

    private ParameterException usageError(String message) {
        return new ParameterException(spec.commandLine(), message);
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

    @Override
    public Next next() {
        return context.stopSignal().requested() ? Next.STOP : Next.CONTINUE;
    }

    private static final class PrecisionConverter implements ITypeConverter<TrainingConfig.PrecisionMode> {
        @Override
        public TrainingConfig.PrecisionMode convert(String value) {
            return TrainingConfig.OptionValue.ofOption(TrainingConfig.PrecisionMode.class, value)
                    .orElseThrow(
                            () -> new TypeConversionException("expected auto, fp32 or bf16, found \"" + value + "\""));
        }
    }

    private static final class PhaseConverter implements ITypeConverter<Phase> {
        @Override
        public Phase convert(String value) {
            for (Phase candidate : Phase.values()) if (candidate.label().equals(value)) return candidate;
            throw new TypeConversionException("expected tune or test, found \"" + value + "\"");
        }
    }
}
