package atomstudio.app.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import sun.misc.Signal;

/// Ctrl-C and SIGTERM. A job that can stop between steps calls [#register] and checks [#requested] at each step.
/// Without such a job, and at the second signal, the process ends at once; no file is lost, since files are written
/// under a temporary name and moved.
///
/// This is a signal handler and not a shutdown hook, since shutdown hooks run concurrently with those of the native
/// engines, which would close while the job still uses them. For the same reason the process ends by `ProcessExit`.
public final class StopSignal {
    private final AtomicBoolean requested = new AtomicBoolean();
    private final AtomicInteger handlers = new AtomicInteger();
    private final Terminal terminal;
    private final IntConsumer exit;

    /// @param exit ends the process with an exit code immediately
    StopSignal(Terminal terminal, IntConsumer exit) {
        this.terminal = terminal;
        this.exit = exit;
    }

    /// Installs the signal handlers.
    void install() {
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            try {
                Signal.handle(new Signal(name), signal -> raise());
            } catch (IllegalArgumentException unsupportedSignal) {
                // Windows has no HUP; a JVM with -Xrs handles no signals.
            }
        }
    }

    /// Whether the job should stop after the current step.
    public boolean requested() {
        return requested.get();
    }

    /// Registers a job that checks [#requested] until the registration is closed.
    public Registration register() {
        handlers.incrementAndGet();
        return handlers::decrementAndGet;
    }

    /// Handles a signal.
    void raise() {
        if (handlers.get() == 0 || !requested.compareAndSet(false, true)) {
            exit.accept(ExitCode.CANCELLED);
            return;
        }
        terminal.printNote("Stopping after this step; press Ctrl-C again to stop immediately.");
    }

    /// The time in which a job checks the stop signal.
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
