package atomstudio.app.cli;

import atomstudio.app.benchmark.BenchmarkFolder;
import atomstudio.app.benchmark.BenchmarkFolder.State;
import atomstudio.app.benchmark.BenchmarkReport;
import atomstudio.app.benchmark.BenchmarkRequest;
import atomstudio.app.benchmark.BenchmarkRun;
import atomstudio.app.benchmark.BenchmarkSettings;
import atomstudio.app.benchmark.BenchmarkTable;
import atomstudio.app.benchmark.BenchmarkWorker;
import atomstudio.app.benchmark.BenchmarkWorker.WorkResult;
import atomstudio.app.cluster.Shard;
import atomstudio.app.experiment.ChildProcessTrialTrainer;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.method.ModelSize;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio benchmark`: the DreamBooth benchmark on one machine, or a shard of it.
@Command(
        name = "benchmark",
        description = "Compares tuning methods by the DreamBooth protocol: trains each method on every subject, "
                + "generates the prompts with 4 images each, and writes CLIP-I, CLIP-T, DINO, diversity and copy rate "
                + "with intervals over the subjects. Every run has a folder; finished ones are skipped, so the same "
                + "command continues after any interruption.",
        footer = {"",
                "A data set is a folder with a folder of photos per subject and prompts_and_classes.txt, as published "
                        + "with DreamBooth. Without that file the published prompts are used, and the classes of the "
                        + "sample subjects.",
                "", "Examples:",
                "  studio benchmark --out benchmark",
                "  studio benchmark --dataset dreambooth/dataset --methods untuned,atoms+word,lora-4 --seeds 3 --out b",
                "  studio benchmark --subjects owl,car --methods untuned,lora-4 --prompts 2 --images 2 --steps 10 "
                        + "--train-steps 20 --out short",
                "  studio benchmark --out benchmark --collect --protocol oft",
                "  studio benchmark --out benchmark --submit slurm --partition gpu --gpus 1 --time 4:00:00 --at-once "
                        + "16"},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:success", "1:a run failed", "2:wrong usage", "75:stopped, or runs are missing; the same "
                + "command continues", "130:cancelled"})
final class BenchmarkCommand implements Callable<Integer>, BenchmarkWorker.WorkerListener {
    private final CommandContext context;

    @Option(names = "--out", paramLabel = "DIR", required = true,
            description = "Folder for benchmark.json, plan.jsonl, runs/ and the tables.")
    private Path out = Path.of("");

    @Mixin
    private final BenchmarkPlanOptions planOptions = new BenchmarkPlanOptions();

    @Mixin
    private final DeviceOption device = new DeviceOption();

    @Option(names = "--plan", description = "Only write the plan.")
    private boolean planOnly;

    @Option(names = "--shard", paramLabel = "I/N", converter = ShardConverter.class,
            description = "Only the planned runs I, I+N, I+2N, ... (I from 0), without the tables: for the tasks of a "
                    + "job array. Needs a plan. When stopped by SIGTERM, exits with 75.")
    private @Nullable Shard shard;

    @Option(names = "--collect", description = "Only write the tables, from the runs that are finished.")
    private boolean collectOnly;

    @Option(names = "--status", description = "Only print how many runs are finished, running, failed and missing.")
    private boolean statusOnly;

    @Mixin
    private final SubmitOptions submitOptions = new SubmitOptions();

    @Mixin
    private final OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    BenchmarkCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        if (Stream.of(planOnly, shard != null, collectOnly, statusOnly, submitOptions.isSubmit(),
                submitOptions.isCancel()).filter(chosen -> chosen).count() > 1)
            throw new UsageError(spec, "--plan, --shard, --collect, --status, --submit, --cancel: expected one of "
                    + "them");
        BenchmarkFolder folder = new BenchmarkFolder(out);
        if (submitOptions.isCancel()) return submitOptions.cancel(context, folder.folder());
        if (statusOnly) return printStatus(folder);
        if (collectOnly) return collect(folder);
        if (shard != null) return work(folder, shard);
        if (!folder.exists() || planOptions.isGiven(spec))
            plan(folder);
        if (submitOptions.isSubmit())
            return submitOptions.submit(context, spec,
                    new SubmitOptions.Work("benchmark", folder.folder(), folder.runs().size()));
        if (planOnly) {
            context.terminal().printResult(folder.runs().size() + " runs planned in " + folder.folder());
            return ExitCode.SUCCESS;
        }
        int code = work(folder, Shard.ALL);
        return code == ExitCode.CANCELLED ? code : Math.max(code, collect(folder));
    }

    private void plan(BenchmarkFolder folder) throws Failure {
        BenchmarkRequest request = planOptions.request(context, spec);
        BenchmarkSettings settings = planOptions.settings(context, spec, request);
        ModelReference model = new ModelReference(settings.model(),
                ModelLoadOptions.ofTokenizerFolders(context.tokenizerLocations()));
        folder.plan(settings, request.runs(ModelSize.of(model.open().unetParameterCount())));
    }

    private int work(BenchmarkFolder folder, Shard part) throws Failure {
        ChildProcessLauncher launcher = ChildProcessLauncher.ofThisProgram(context.home());
        WorkResult result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            BenchmarkWorker.WorkerSetup setup = new BenchmarkWorker.WorkerSetup(device.deviceForTrainingToo(context),
                    context.tokenizerLocations(), new BaseModelHashes(context.home().baseHashes()),
                    new ChildProcessTrialTrainer(launcher, folder.settings().precision()));
            result = new BenchmarkWorker(folder, setup, this, context.stopSignal()::requested).work(part);
        }
        if (result.stopped()) {
            context.terminal().printNote("Stopped; the same command continues.");
            return shard != null ? ExitCode.RESUMABLE : ExitCode.CANCELLED;
        }
        if (result.busy() > 0) return ExitCode.RESUMABLE;
        return result.failed().isEmpty() ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private int collect(BenchmarkFolder folder) throws Failure {
        BenchmarkTable table = BenchmarkTable.read(folder,
                planOptions.protocol().orElse(folder.settings().protocol()));
        Path page = new BenchmarkReport(folder, table).write();
        output.print(context.terminal(), () -> statusJson(table.states().values().stream().toList()),
                () -> Stream.concat(table.markdown().lines(), Stream.concat(Stream.of(""), table.notes().stream()))
                        .toList());
        for (BenchmarkRun run : folder.runs())
            if (table.states().get(run.name()) == State.FAILED)
                context.terminal().printNote(run.name() + " failed: " + folder.failure(run).orElse("unknown reason"));
        long missing = table.states().size() - table.count(State.FINISHED);
        if (missing > 0)
            context.terminal().printNote(missing + " of " + table.states().size() + " runs are not finished.");
        context.terminal().printNote(page.toString());
        return missing == 0 ? ExitCode.SUCCESS
                : table.count(State.FAILED) > 0 ? ExitCode.FAILED : ExitCode.RESUMABLE;
    }

    private int printStatus(BenchmarkFolder folder) throws Failure {
        List<State> states = new ArrayList<>();
        for (BenchmarkRun run : folder.runs()) states.add(folder.state(run));
        String line = states.size() + " runs: " + Stream.of(State.values())
                .map(state -> states.stream().filter(state::equals).count() + " " + label(state))
                .collect(Collectors.joining(", "));
        List<String> queue = output.isJson() ? List.of() : submitOptions.queueLinesOrReason(folder.folder());
        output.print(context.terminal(), () -> statusJson(states),
                () -> Stream.concat(Stream.of(line), queue.stream()).toList());
        return ExitCode.SUCCESS;
    }

    private static JsonObject statusJson(List<State> states) {
        JsonObject json = new JsonObject();
        json.addProperty("runs", states.size());
        for (State state : State.values())
            json.addProperty(label(state).replace(' ', '_'), states.stream().filter(state::equals).count());
        return json;
    }

    private static String label(State state) {
        return state.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    @Override
    public void runStarted(int number, int total, BenchmarkRun run) {
        context.terminal().printNote(number + "/" + total + "  " + run.name());
    }

    @Override
    public void note(String line) {
        context.terminal().printNote(line);
    }
}
