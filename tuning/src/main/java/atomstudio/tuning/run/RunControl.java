package atomstudio.tuning.run;

import java.util.Optional;

/// The user's control of a running job. Polled before each step, and many times a second while paused.
@FunctionalInterface
public interface RunControl {
    enum RunCommand { CONTINUE, PAUSE, STOP }

    RunCommand command();

    /// The next prompt to make a preview of; each is returned once.
    default Optional<String> nextPreviewPrompt() {
        return Optional.empty();
    }

    /// Never pauses or stops.
    static RunControl none() {
        return () -> RunCommand.CONTINUE;
    }
}
