package atomstudio.app.tune;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/// Starts a tuning process, passes orders on to it, and reads what it writes until it has ended.
final class ActiveRun {
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

    /// The run's last state. For a job's thread.
    RunProgress run(ProcessLauncher launcher, Cancellation cancellation, Consumer<RunProgress> listener) throws Failure, IOException, InterruptedException {
        EventLogReader events = new EventLogReader(spec.folder().resolve("events.jsonl"), RunProgress.initial(RunProgress.RunPhase.STARTING));
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
                for (Consumer<TrainingProcess> command = commands.poll(); command != null; command = commands.poll()) command.accept(process);
                RunProgress latest = events.poll();
                if (exit.isPresent()) return finalProgress(exit.getAsInt(), latest == before ? before.with(RunProgress.RunPhase.STARTING, "") : latest, process.lastOutput());
                if (latest != last) listener.accept(latest);
                last = latest;
            }
        }
    }

    private static RunProgress finalProgress(int exit, RunProgress last, String output) {
        if (exit == 0) return last.with(RunProgress.RunPhase.DONE, "");
        if (exit == 130) return last.with(RunProgress.RunPhase.CANCELLED, "");
        if (exit == 1 || exit == 2) {
            String message = last.phase() == RunProgress.RunPhase.FAILED && !last.message().isEmpty() ? last.message() : output;
            return last.with(RunProgress.RunPhase.FAILED, message.isEmpty() ? "Tuning failed without saying why." : message);
        }
        // 128 + signal: 6 abort, 9 kill, 11 segmentation fault.
        String cause = switch (exit) {
            case 137 -> "was killed by the system, most likely because the memory did not suffice. Close other programs, then resume.";
            case 134, 139, 132, 136 -> "crashed in native code (code " + exit + "). Resume it; if that happens again, tune with another method or fewer pictures, and report it.";
            default -> "ended by itself (code " + exit + "). Resume it.";
        };
        return last.with(RunProgress.RunPhase.FAILED, "The tuning process " + cause + " Nothing up to the last checkpoint is lost.");
    }
}
