package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.JobOutcome;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.process.RunSpec;
import atomstudio.app.process.TrainingProcess;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import org.jspecify.annotations.Nullable;

/// The queue of training runs; one runs at a time.
public final class RunQueue {
    private final Jobs jobs;
    private final TrainingProcess.ProcessLauncher launcher;
    private final ReadOnlyObjectWrapper<@Nullable RunSpec> current = new ReadOnlyObjectWrapper<>();
    private final ReadOnlyObjectWrapper<RunProgress> progress = new ReadOnlyObjectWrapper<>(
            RunProgress.initial(RunProgress.RunPhase.WAITING));
    private final ReadOnlyStringWrapper pendingCommand = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper pendingPreview = new ReadOnlyStringWrapper("");
    private final ObservableList<RunSpec> waiting = FXCollections.observableArrayList();
    private final ObservableList<RunSpec> waitingView = FXCollections.unmodifiableObservableList(waiting);
    private final List<BiConsumer<RunSpec, RunProgress>> listeners = new ArrayList<>();
    private final QueueFile file;
    private @Nullable ActiveRun activeRun;
    private BooleanSupplier held = () -> false;
    private boolean suspended;

    /// @param file holds the current and the waiting runs
    public RunQueue(Jobs jobs, TrainingProcess.ProcessLauncher launcher, QueueFile file) {
        this.jobs = jobs;
        this.launcher = launcher;
        this.file = file;
    }

    /// Reads the runs that an earlier window left; they wait until [#startNext].
    /// @param onFound called if there are any
    public void restore(Runnable onFound) {
        jobs.start(text("runs.reading-the-training-queue"), cancellation -> file.read(), found -> {
            Set<Path> known = queued().stream().map(RunSpec::folder).collect(Collectors.toSet());
            waiting.addAll(0, found.stream().filter(spec -> !known.contains(spec.folder())).toList());
            if (!waiting.isEmpty() && !isBusy()) onFound.run();
        }, ignored -> {});
    }

    private List<RunSpec> queued() {
        return Stream.concat(Stream.ofNullable(current.get()), waiting.stream()).toList();
    }

    private void save() {
        save(queued());
    }

    private void save(List<RunSpec> runs) {
        file.set(runs);
        jobs.start(text("runs.saving-the-training-queue"), cancellation -> {
            file.write();
            return runs;
        }, outcome -> {});
    }

    /// Null when idle.
    public ReadOnlyObjectProperty<@Nullable RunSpec> current() {
        return current.getReadOnlyProperty();
    }

    /// State of the current run, or the final state of the last one.
    public ReadOnlyObjectProperty<RunProgress> progress() {
        return progress.getReadOnlyProperty();
    }

    /// A command the run has not carried out yet (`Pausing…`); empty if none.
    public ReadOnlyStringProperty pendingCommand() {
        return pendingCommand.getReadOnlyProperty();
    }

    /// A requested preview that does not exist yet; empty if none.
    public ReadOnlyStringProperty pendingPreview() {
        return pendingPreview.getReadOnlyProperty();
    }

    public ObservableList<RunSpec> waiting() {
        return waitingView;
    }

    /// Calls `listener` for every run that ends, before the next one starts.
    public void addEndListener(BiConsumer<RunSpec, RunProgress> listener) {
        listeners.add(listener);
    }

    /// No waiting run starts while the condition is true; then [#startNext] must be called when it becomes false.
    public void holdWhile(BooleanSupplier condition) {
        held = condition;
    }

    /// Starts the first waiting run, unless one is training.
    public void startNext() {
        if (!suspended && !isBusy() && !waiting.isEmpty() && !held.getAsBoolean()) start(waiting.removeFirst());
    }

    /// Whether a run of a subject is training or waiting.
    public boolean isQueued(String subject) {
        RunSpec running = current.get();
        return running != null && running.subject().equals(subject)
                || waiting.stream().anyMatch(spec -> spec.subject().equals(subject));
    }

    public boolean isBusy() { return current.get() != null; }

    /// Starts the run, or appends it to the queue.
    public void add(RunSpec spec) {
        waiting.removeIf(queued -> queued.folder().equals(spec.folder()));
        if (isBusy()) {
            waiting.add(spec);
            save();
        } else {
            start(spec);
        }
    }

    public void remove(RunSpec spec) {
        waiting.remove(spec);
        save();
    }

    public void pause() {
        send(TrainingProcess.ProcessCommand.PAUSE, text("runs.pausing"));
    }

    public void resume() {
        send(TrainingProcess.ProcessCommand.RESUME, text("runs.resuming"));
    }

    /// Stops the current run with a checkpoint, so that it can be resumed.
    public void cancel() {
        send(TrainingProcess.ProcessCommand.STOP, text("runs.stopping"));
    }

    /// Stops the current run with a checkpoint and starts no other. The queue's file keeps the waiting runs, and the
    /// current one in front of them.
    public void suspend() {
        suspended = true;
        cancel();
    }

    /// The same, but the queue's file no longer has the current run.
    public void suspendWithoutCurrent() {
        save(List.copyOf(waiting));
        suspend();
    }

    /// Requests a preview with the current parameters; the run continues, or stays paused.
    public void requestPreview(String prompt) {
        if (activeRun == null || prompt.isBlank()) return;
        pendingPreview.set(text("runs.generating-a-preview-of", prompt.strip()));
        activeRun.enqueue(process -> process.requestPreview(prompt));
    }

    private void send(TrainingProcess.ProcessCommand command, String text) {
        if (activeRun == null) return;
        pendingCommand.set(text);
        activeRun.enqueue(process -> process.send(command));
    }

    private void start(RunSpec spec) {
        ActiveRun run = new ActiveRun(spec);
        activeRun = run;
        pendingCommand.set("");
        pendingPreview.set("");
        progress.set(RunProgress.initial(RunProgress.RunPhase.STARTING));
        current.set(spec);
        save();
        jobs.start(text("runs.training", spec.subject()),
                cancellation -> run.run(launcher, cancellation, jobs.deliverLatest(now -> onProgress(run, now))),
                outcome -> {
                    switch (outcome) {
                        case JobOutcome.Succeeded<RunProgress>(RunProgress last) -> finish(spec, last);
                        case JobOutcome.Failed<RunProgress>(String message) ->
                                finish(spec, progress.get().with(RunProgress.RunPhase.FAILED, message));
                        case JobOutcome.Cancelled<RunProgress>() ->
                                finish(spec, progress.get().with(RunProgress.RunPhase.CANCELLED, ""));
                    }
                });
    }

    private void onProgress(ActiveRun run, RunProgress latest) {
        if (activeRun != run) return;
        RunProgress before = progress.get();
        if (latest.phase() != before.phase()) pendingCommand.set("");
        // The request ends with a preview, or with a note why there is none.
        if (latest.manualPreviews() > before.manualPreviews()
                || latest.history().notes().size() > before.history().notes().size())
            pendingPreview.set("");
        progress.set(latest);
    }

    private void finish(RunSpec spec, RunProgress last) {
        activeRun = null;
        pendingCommand.set("");
        pendingPreview.set("");
        progress.set(last);
        current.set(null);
        if (!suspended) save();
        for (BiConsumer<RunSpec, RunProgress> listener : List.copyOf(listeners)) listener.accept(spec, last);
        startNext();
    }

    /// Starts a training process, forwards commands to it, and reads its events until it exits.
    static final class ActiveRun {
        private static final Duration POLL = Duration.ofMillis(200);

        private final RunSpec spec;
        private final Queue<Consumer<TrainingProcess>> commands = new ConcurrentLinkedQueue<>();

        ActiveRun(RunSpec spec) {
            this.spec = spec;
        }

        RunSpec spec() {
            return spec;
        }

        /// Any thread.
        void enqueue(Consumer<TrainingProcess> command) {
            commands.add(command);
        }

        /// For a job thread.
        /// @return the run's final state
        RunProgress run(TrainingProcess.ProcessLauncher launcher, Cancellation cancellation,
                Consumer<RunProgress> listener) throws Failure, IOException, InterruptedException {
            EventLogReader events = new EventLogReader(spec.folder().resolve("events.jsonl"),
                    RunProgress.initial(RunProgress.RunPhase.STARTING));
            RunProgress before = events.poll();
            listener.accept(before.with(RunProgress.RunPhase.STARTING, ""));
            RunProgress last = before;
            boolean stopped = false;
            try (TrainingProcess process = launcher.start(spec)) {
                while (true) {
                    OptionalInt exit = process.await(POLL);
                    if (cancellation.isRequested() && !stopped) {
                        stopped = true;
                        process.send(TrainingProcess.ProcessCommand.STOP);
                    }
                    for (Consumer<TrainingProcess> command = commands.poll(); command != null;
                            command = commands.poll())
                        command.accept(process);
                    RunProgress latest = events.poll();
                    if (exit.isPresent())
                        return finalProgress(exit.getAsInt(),
                                latest == before ? before.with(RunProgress.RunPhase.STARTING, "") : latest,
                                process.lastOutput());
                    if (latest != last) listener.accept(latest);
                    last = latest;
                }
            }
        }

        private static RunProgress finalProgress(int exit, RunProgress last, String output) {
            if (exit == 0) return last.with(RunProgress.RunPhase.DONE, "");
            if (exit == 130) return last.with(RunProgress.RunPhase.CANCELLED, "");
            if (exit == 1 || exit == 2) {
                String message = last.phase() == RunProgress.RunPhase.FAILED && !last.message().isEmpty()
                        ? last.message()
                        : output;
                return last.with(RunProgress.RunPhase.FAILED,
                        message.isEmpty() ? text("runs.training-failed-without-an-error-message") : message);
            }
            // 128 + signal: 6 abort, 9 kill, 11 segmentation fault.
            String cause = switch (exit) {
                case 137 -> text("runs.killed-by-the-system");
                case 134, 139, 132, 136 -> text("runs.crashed-in-native-code-exit-code", exit);
                default -> text("runs.ended-unexpectedly-exit-code-resume-it", exit);
            };
            return last.with(RunProgress.RunPhase.FAILED,
                    text("runs.the-training-process-everything-up-to", cause));
        }
    }
}
