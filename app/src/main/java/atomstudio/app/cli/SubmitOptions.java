package atomstudio.app.cli;

import atomstudio.app.cluster.JobArray;
import atomstudio.app.cluster.KubernetesJob;
import atomstudio.app.cluster.SlurmCommands;
import atomstudio.app.cluster.SlurmCommands.QueuedTasks;
import atomstudio.app.cluster.SlurmScript;
import atomstudio.app.cluster.Submissions;
import atomstudio.app.cluster.Submissions.Submission;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.TextFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// The options of `benchmark` and `experiment` for job arrays on a cluster.
final class SubmitOptions {
    /// @param command which does a shard of the work with `--out` and `--shard`
    /// @param folder  its `--out`
    /// @param parts   that shards consist of
    record Work(String command, Path folder, int parts) {}

    /// Set by the launcher `studio`.
    private static final String LAUNCHER = "atomstudio.launcher";

    private enum Engine { SLURM, KUBERNETES }

    @Option(names = "--submit", paramLabel = "ENGINE", converter = EngineNames.class,
            completionCandidates = EngineNames.class,
            description = "${COMPLETION-CANDIDATES}: run the shards as a job array. Plans, writes slurm.sh into --out "
                    + "and submits it; for Kubernetes writes kubernetes.yaml for kubectl apply -f. --out, the data set "
                    + "and the model must be on a disk that all machines share.")
    private @Nullable Engine engine;

    @Option(names = "--print", description = "With --submit: print the script, submit nothing.")
    private boolean printOnly;

    @Option(names = "--cancel", description = "Only cancel the submitted jobs.")
    private boolean cancel;

    @Option(names = "--at-once", paramLabel = "N", defaultValue = "" + JobArray.DEFAULT_AT_ONCE,
            description = "Shards that run at the same time. Default: ${DEFAULT-VALUE}.")
    private int atOnce;

    @Option(names = "--shards", paramLabel = "N",
            description = "Shards of the array. Default: 4 for each that runs at the same time, at most one per run.")
    private @Nullable Integer shards;

    @Option(names = "--gpus", paramLabel = "N", defaultValue = "0",
            description = "GPUs of each shard. Default: ${DEFAULT-VALUE}.")
    private int gpus;

    @Option(names = "--partition", paramLabel = "NAME", description = "Slurm's partition.")
    private @Nullable String partition;

    @Option(names = "--account", paramLabel = "NAME", description = "Slurm's account.")
    private @Nullable String account;

    @Option(names = "--time", paramLabel = "TIME", description = "Time limit of a shard, e.g. 4:00:00.")
    private @Nullable String time;

    @Option(names = "--sbatch-option", paramLabel = "OPTION",
            description = "Another option of sbatch, e.g. --sbatch-option=--mem=16G; can be repeated.")
    private List<String> sbatchOptions = List.of();

    @Option(names = "--setup", paramLabel = "FILE",
            description = "Lines for the script before the command, e.g. module load java.")
    private @Nullable Path setup;

    @Option(names = "--container", paramLabel = "IMAGE", description = "Kubernetes: image with this program.")
    private @Nullable String container;

    @Option(names = "--claim", paramLabel = "NAME",
            description = "Kubernetes: persistent volume claim with --out, data set and model.")
    private @Nullable String claim;

    @Option(names = "--mount", paramLabel = "DIR",
            description = "Kubernetes: where the claim is mounted, --out or a folder above it. Default: --out.")
    private @Nullable Path mount;

    @Option(names = "--program", paramLabel = "COMMAND",
            description = "What starts this program on the machines. Default: as it was started here; studio in a "
                    + "container.")
    private @Nullable String program;

    boolean isSubmit() { return engine != null; }

    boolean isCancel() { return cancel; }

    /// Writes the script of planned work, and submits it.
    int submit(CommandContext context, CommandSpec spec, Work work) throws Failure {
        JobArray array;
        String text;
        try {
            int count = shards != null ? shards : JobArray.defaultShards(work.parts, Math.max(1, atOnce));
            List<String> command = new ArrayList<>(launcher());
            command.addAll(List.of(work.command, "--out", work.folder.toString()));
            array = new JobArray("studio-" + work.folder.getFileName(), command, work.folder, count, atOnce,
                    gpus);
            text = text(array, spec);
        } catch (IllegalArgumentException error) {
            throw new UsageError(spec, "--" + error.getMessage());
        }
        Path file = work.folder.resolve(engine == Engine.SLURM ? "slurm.sh" : "kubernetes.yaml");
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        if (printOnly) {
            text.lines().forEach(context.terminal()::printResult);
        } else if (engine == Engine.KUBERNETES) {
            context.terminal().printResult("kubectl apply -f " + file);
        } else {
            submitToSlurm(context, work.folder, file, array);
        }
        return ExitCode.SUCCESS;
    }

    private void submitToSlurm(CommandContext context, Path folder, Path script, JobArray array)
            throws Failure {
        try {
            Files.createDirectories(folder.resolve("logs")); // Slurm does not create the folder of a log
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": cannot be written: " + e.getMessage(), e);
        }
        queueLines(folder).forEach(line -> context.terminal()
                .printNote(line + ". A second job shares the work: no run is done twice at the same time."));
        String job = SlurmCommands.ofCurrentUser().submit(script);
        submissions(folder).add(new Submission(job, array.shards()));
        context.terminal()
                .printResult("Job " + job + ": " + array.shards() + " shards, " + array.atOnce() + " at once");
    }

    private String text(JobArray array, CommandSpec spec) throws Failure {
        if (engine == Engine.SLURM)
            return new SlurmScript(array, Optional.ofNullable(partition), Optional.ofNullable(account),
                    Optional.ofNullable(time), sbatchOptions, setup == null ? List.of() : TextFile.lines(setup)).text();
        if (container == null || claim == null)
            throw new UsageError(spec, "--submit=kubernetes: expected --container=IMAGE and --claim=NAME");
        return new KubernetesJob(array, container, claim,
                mount == null ? array.folder() : mount.toAbsolutePath().normalize()).text();
    }

    private List<String> launcher() {
        if (program != null) return List.of(program.strip().split("\\s+"));
        if (engine == Engine.KUBERNETES) return List.of("studio");
        String script = System.getProperty(LAUNCHER);
        return script != null ? List.of(script) : ChildProcessLauncher.currentProgram(Main.class.getName());
    }

    int cancel(CommandContext context, Path folder) throws Failure {
        int cancelled = 0;
        SlurmCommands slurm = SlurmCommands.ofCurrentUser();
        for (Submission submission : submissions(folder).read()) {
            if (slurm.queued(submission.jobId()).isEmpty()) continue;
            slurm.cancel(submission.jobId());
            context.terminal().printResult("Cancelled job " + submission.jobId());
            cancelled++;
        }
        if (cancelled == 0) context.terminal().printResult("No job is waiting or running.");
        return ExitCode.SUCCESS;
    }

    /// A line for each submitted job that is waiting or running.
    List<String> queueLines(Path folder) throws Failure {
        List<String> lines = new ArrayList<>();
        for (Submission submission : submissions(folder).read()) {
            QueuedTasks tasks = SlurmCommands.ofCurrentUser().queued(submission.jobId());
            if (!tasks.isEmpty())
                lines.add("Job " + submission.jobId() + ": " + tasks.running() + " shards running, " + tasks.waiting()
                        + " waiting");
        }
        return lines;
    }

    /// The same, or why there are none: a machine without the scheduler's commands reports the folders too.
    List<String> queueLinesOrReason(Path folder) throws Failure {
        try {
            return queueLines(folder);
        } catch (Failure.Incompatible unreachable) {
            return List.of("The queue cannot be read: " + unreachable.getMessage());
        }
    }

    private static Submissions submissions(Path folder) {
        return new Submissions(folder.resolve("submissions.jsonl"));
    }

    private static final class EngineNames extends NamedValues<Engine> {
        EngineNames() {
            super(Engine.values(), engine -> engine.name().toLowerCase(Locale.ROOT));
        }
    }
}
