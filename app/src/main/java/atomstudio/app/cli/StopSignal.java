package atomstudio.app.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import sun.misc.Signal;

/// Ctrl-C and SIGTERM. A job that can stop by itself says so with [#register] and asks [#requested] at each step;
/// without such a job, and at the second signal, the process ends at once. Files are written beside and moved, so
/// that loses nothing.
///
/// A signal handler and not a shutdown hook: hooks run beside those of the native engines, which would close under
/// the job's feet.
public final class StopSignal {
    private final AtomicBoolean requested = new AtomicBoolean();
    private final AtomicInteger handlers = new AtomicInteger();
    private final Terminal terminal;
    private final IntConsumer exit;

    /// @param exit ends the process with an exit code, without waiting for anything
    StopSignal(Terminal terminal, IntConsumer exit) {
        this.terminal = terminal;
        this.exit = exit;
    }

    /// Begins to listen to the process's signals.
    void install() {
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            try {
                Signal.handle(new Signal(name), signal -> raise());
            } catch (IllegalArgumentException unsupportedSignal) {
                // Windows knows no HUP; a JVM with -Xrs leaves signals to the system.
            }
        }
    }

    /// Whether the job should stop at the next step.
    public boolean requested() {
        return requested.get();
    }

    /// Says that a job looks at [#requested] until the watch is closed.
    public Registration register() {
        handlers.incrementAndGet();
        return handlers::decrementAndGet;
    }

    /// What a signal does.
    void raise() {
        if (handlers.get() == 0 || !requested.compareAndSet(false, true)) {
            exit.accept(ExitCode.CANCELLED);
            return;
        }
        terminal.printNote("Stopping at the next step; once more ends at once.");
    }

    /// The time in which a job looks at the stop signal.
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
