package atomstudio.tuning.run;

import java.util.Optional;

/// What the person wants of a run that is going on. Asked before each step, and many times a second while paused.
@FunctionalInterface
public interface RunControl {
    enum RunCommand { CONTINUE, PAUSE, STOP }

    RunCommand command();

    /// The next prompt that the person wants a picture of from what is tuned by now; each is given once.
    default Optional<String> nextPreviewPrompt() {
        return Optional.empty();
    }

    /// Nobody interferes.
    static RunControl none() {
        return () -> RunCommand.CONTINUE;
    }
}
