package atomstudio.app.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import sun.misc.Signal;

/// Ctrl-C and SIGTERM. A job that can stop by itself says so with [#watch] and asks [#requested] at each step; without such a
/// job, and at the second signal, the process ends at once. Files are written beside and moved, so that loses nothing.
///
/// A signal handler and not a shutdown hook: hooks run beside those of the native engines, which would close under the job's feet.
public final class StopSignal {
    private final AtomicBoolean requested = new AtomicBoolean();
    private final AtomicInteger watchers = new AtomicInteger();
    private final Terminal terminal;
    private final IntConsumer end;

    /// @param end ends the process with an exit code, without waiting for anything
    StopSignal(Terminal terminal, IntConsumer end) {
        this.terminal = terminal;
        this.end = end;
    }

    /// Begins to listen to the process's signals.
    void listen() {
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            try {
                Signal.handle(new Signal(name), signal -> raise());
            } catch (IllegalArgumentException notOnThisSystem) {
                // Windows knows no HUP; a JVM with -Xrs leaves signals to the system.
            }
        }
    }

    /// Whether the job should stop at the next step.
    public boolean requested() {
        return requested.get();
    }

    /// Says that a job looks at [#requested] until the watch is closed.
    public Watch watch() {
        watchers.incrementAndGet();
        return watchers::decrementAndGet;
    }

    /// What a signal does.
    void raise() {
        if (watchers.get() == 0 || !requested.compareAndSet(false, true)) {
            end.accept(ExitCode.CANCELLED);
            return;
        }
        terminal.note("Stopping at the next step; once more ends at once.");
    }

    /// The time in which a job looks at the stop signal.
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }
}
