package atomstudio.app.cli;

import atomstudio.app.cluster.Shard;
import atomstudio.app.experiment.ChildProcessTrialTrainer;
import atomstudio.app.experiment.Experiment;
import atomstudio.app.experiment.Experiment.ExperimentResult;
import atomstudio.app.experiment.ExperimentFolder;
import atomstudio.app.experiment.ExperimentFolder.State;
import atomstudio.app.experiment.ExperimentPlan;
import atomstudio.app.experiment.ExperimentRow;
import atomstudio.app.experiment.ExperimentSettings;
import atomstudio.app.experiment.ExperimentSummary;
import atomstudio.app.experiment.ExperimentTable;
import atomstudio.app.experiment.Plot;
import atomstudio.app.experiment.Trial;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
                "  studio experiment --out experiment --plot --table",
                "  studio experiment --out experiment --submit slurm --partition gpu --gpus 1 --time 4:00:00",
                "  studio experiment --out experiment --collect"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:success", "1:a trial failed", "2:wrong usage", "75:stopped, or trials are missing; the same "
                + "command continues", "130:cancelled"})
final class ExperimentCommand implements Callable<Integer>, Experiment.ExperimentListener {
    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Folder for experiment.csv, experiment.png, plan.json, pictures/, rows/ and runs/.")
    private Path out = Path.of("");

    @Mixin
    private final ExperimentPlanOptions planOptions = new ExperimentPlanOptions();

    @Option(names = "--plot", description = "Only draw experiment.png from the existing table.")
    private boolean plotOnly;

    @Option(names = "--table", description = "Only print the existing table, averaged, in Markdown.")
    private boolean tableOnly;

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Option(names = "--plan", description = "Only write plan.json.")
    private boolean planOnly;

    @Option(names = "--shard", paramLabel = "I/N", converter = ShardConverter.class,
            description = "Only the planned trials I, I+N, I+2N, ... (I from 0) of each phase, without the table: for "
                    + "the tasks of a job array. Needs a plan. Phase test starts once all of phase tune is done, which "
                    + "the shard helps with. When stopped by SIGTERM, exits with 75.")
    private @Nullable Shard shard;

    @Option(names = "--collect", description = "Only write the table and the plot, from the rows that exist.")
    private boolean collectOnly;

    @Option(names = "--status", description = "Only print how many trials are finished, running, failed and missing.")
    private boolean statusOnly;

    @Mixin
    private final SubmitOptions submitOptions = new SubmitOptions();

    @Mixin
    private final OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ExperimentCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        if (Stream.of(planOnly, shard != null, collectOnly, statusOnly, plotOnly || tableOnly, submitOptions.isSubmit(),
                submitOptions.isCancel()).filter(chosen -> chosen).count() > 1)
            throw new UsageError(spec, "--plan, --shard, --collect, --status, --submit, --cancel, --plot and --table: "
                    + "expected one of them, or --plot with --table");
        ExperimentFolder folder = new ExperimentFolder(out);
        if (plotOnly || tableOnly) return showExisting(folder);
        if (submitOptions.isCancel()) return submitOptions.cancel(context, folder.folder());
        if (statusOnly) return printStatus(folder);
        if (collectOnly) return collect(folder);
        if (shard != null) return work(folder, shard);
        if (!submitOptions.isSubmit() || !folder.isPlanned() || ExperimentPlanOptions.isGiven(spec)) plan(folder);
        if (submitOptions.isSubmit()) return submit(folder);
        if (planOnly) {
            context.terminal()
                    .printResult(folder.states(folder.settings().plan()).size() + " parts planned in "
                            + folder.folder());
            return ExitCode.SUCCESS;
        }
        return run(folder);
    }

    private void plan(ExperimentFolder folder) throws Failure {
        DiffusionModel model = new ModelReference(planOptions.modelPath(context),
                ModelLoadOptions.ofTokenizerFolders(context.tokenizerLocations())).open();
        ExperimentSettings settings = planOptions.settings(context, spec, model);
        folder.plan(settings, Experiment.details(settings, model));
    }

    private int submit(ExperimentFolder folder) throws Failure {
        folder.clearFailures();
        return submitOptions.submit(context, spec, new SubmitOptions.Work("experiment", folder.folder(),
                folder.states(folder.settings().plan()).size()));
    }

    private Experiment experiment(ExperimentFolder folder) throws Failure {
        ChildProcessTrialTrainer trainer = new ChildProcessTrialTrainer(
                ChildProcessLauncher.ofThisProgram(context.home()), folder.settings().precision());
        return new Experiment(folder, new Experiment.ExperimentSetup(device.deviceForTrainingToo(context),
                context.tokenizerLocations(), trainer), this, context.stopSignal()::requested);
    }

    private int work(ExperimentFolder folder, Shard part) throws Failure {
        ExperimentResult result;
        try (StopSignal.Registration _ = context.stopSignal().register()) {
            result = experiment(folder).work(part);
        }
        if (result.stopped()) context.terminal().printNote("Stopped; the same command continues.");
        if (result.stopped() || result.busy() > 0) return ExitCode.RESUMABLE;
        return result.failures().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private int run(ExperimentFolder folder) throws Failure {
        ExperimentResult result;
        try (StopSignal.Registration _ = context.stopSignal().register()) {
            result = experiment(folder).run();
        }
        if (result.stopped()) {
            context.terminal().printNote("Stopped; the same command continues.");
            return ExitCode.CANCELLED;
        }
        writePlot(folder, ExperimentTable.open(folder.tableFile()));
        context.terminal().printResult(folder.tableFile().toString());
        if (!result.failures().isEmpty())
            context.terminal().printNote(result.failures().size() + " failed; see above.");
        if (result.busy() > 0) {
            context.terminal().printNote(result.busy() + " are in progress in other processes.");
            return ExitCode.RESUMABLE;
        }
        return result.failures().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private int collect(ExperimentFolder folder) throws Failure {
        ExperimentPlan plan = folder.settings().plan();
        ExperimentTable table = folder.collect(plan);
        List<State> states = folder.states(plan);
        if (!table.rows().isEmpty()) PngWriter.write(folder.plotFile(), Plot.draw(table.rows()), Map.of());
        output.print(context.terminal(), () -> statusJson(states), () -> List.of(folder.tableFile().toString()));
        folder.failures(plan).forEach(context.terminal()::printNote);
        long missing = states.stream().filter(state -> state != State.FINISHED).count();
        if (missing > 0)
            context.terminal().printNote(missing + " of " + states.size() + " parts are not finished.");
        return missing == 0 ? ExitCode.SUCCESS
                : states.contains(State.FAILED) ? ExitCode.FAILED : ExitCode.RESUMABLE;
    }

    private int printStatus(ExperimentFolder folder) throws Failure {
        List<State> states = folder.states(folder.settings().plan());
        String line = states.size() + " parts: " + Stream.of(State.values())
                .map(state -> states.stream().filter(state::equals).count() + " " + label(state))
                .collect(Collectors.joining(", "));
        List<String> queue = output.isJson() ? List.of() : submitOptions.queueLinesOrReason(folder.folder());
        output.print(context.terminal(), () -> statusJson(states),
                () -> Stream.concat(Stream.of(line), queue.stream()).toList());
        return ExitCode.SUCCESS;
    }

    private static JsonObject statusJson(List<State> states) {
        JsonObject json = new JsonObject();
        json.addProperty("parts", states.size());
        for (State state : State.values())
            json.addProperty(label(state), states.stream().filter(state::equals).count());
        return json;
    }

    private static String label(State state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    private int showExisting(ExperimentFolder folder) throws Failure {
        if (!Files.exists(folder.tableFile()))
            throw new Failure.Unreadable(folder.tableFile()
                    + ": expected the table of an experiment, found nothing; run the experiment first, without "
                    + "--plot and --table");
        ExperimentTable results = ExperimentTable.open(folder.tableFile());
        if (tableOnly) context.terminal().printResult(ExperimentSummary.markdown(results.rows()));
        if (plotOnly) writePlot(folder, results);
        return ExitCode.SUCCESS;
    }

    private void writePlot(ExperimentFolder folder, ExperimentTable results) throws Failure {
        PngWriter.write(folder.plotFile(), Plot.draw(results.rows()), Map.of());
        context.terminal().printResult(folder.plotFile().toString());
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
}
