package atomstudio.tuning.train;

/// What the person wants of a run that is going on. Asked before each step, and many times a second while paused.
@FunctionalInterface
public interface Control {
    enum Wish { CONTINUE, PAUSE, STOP }

    Wish wish();

    /// Nobody interferes.
    static Control none() {
        return () -> Wish.CONTINUE;
    }
}
