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
final class LiveRun {
    private static final Duration POLL = Duration.ofMillis(200);

    private final TuneOrder order;
    private final Queue<Consumer<TuneProcess>> wishes = new ConcurrentLinkedQueue<>();

    LiveRun(TuneOrder order) {
        this.order = order;
    }

    TuneOrder order() {
        return order;
    }

    /// Any thread.
    void wish(Consumer<TuneProcess> wish) {
        wishes.add(wish);
    }

    /// The run's last state. For a job's thread.
    RunProgress follow(Tuner tuner, Cancellation cancellation, Consumer<RunProgress> listener) throws Failure, IOException, InterruptedException {
        EventsFile events = new EventsFile(order.run().resolve("events.jsonl"), RunProgress.none(RunProgress.State.STARTING));
        RunProgress before = events.poll();
        listener.accept(before.with(RunProgress.State.STARTING, ""));
        RunProgress last = before;
        boolean stopped = false;
        try (TuneProcess process = tuner.start(order)) {
            while (true) {
                OptionalInt exit = process.await(POLL);
                if (cancellation.isRequested() && !stopped) {
                    stopped = true;
                    process.send(TuneProcess.Order.STOP);
                }
                for (Consumer<TuneProcess> wish = wishes.poll(); wish != null; wish = wishes.poll()) wish.accept(process);
                RunProgress now = events.poll();
                if (exit.isPresent()) return ended(exit.getAsInt(), now == before ? before.with(RunProgress.State.STARTING, "") : now, process.lastWords());
                if (now != last) listener.accept(now);
                last = now;
            }
        }
    }

    private static RunProgress ended(int exit, RunProgress last, String words) {
        if (exit == 0) return last.with(RunProgress.State.DONE, "");
        if (exit == 130) return last.with(RunProgress.State.CANCELLED, "");
        if (exit == 1 || exit == 2) {
            String said = last.state() == RunProgress.State.FAILED && !last.message().isEmpty() ? last.message() : words;
            return last.with(RunProgress.State.FAILED, said.isEmpty() ? "Tuning failed without saying why." : said);
        }
        // 128 + signal: 6 abort, 9 kill, 11 segmentation fault.
        String what = switch (exit) {
            case 137 -> "was killed by the system, most likely because the memory did not suffice. Close other programs, then resume.";
            case 134, 139, 132, 136 -> "crashed in native code (code " + exit + "). Resume it; if that happens again, tune with another method or fewer pictures, and report it.";
            default -> "ended by itself (code " + exit + "). Resume it.";
        };
        return last.with(RunProgress.State.FAILED, "The tuning process " + what + " Nothing up to the last checkpoint is lost.");
    }
}
