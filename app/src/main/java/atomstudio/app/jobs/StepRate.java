package atomstudio.app.jobs;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;

/// Speed of a job over its last 32 updates, so that a slow start has little effect. One thread at a time.
public final class StepRate {
    private static final int WINDOW = 32;

    private record TimedCount(double done, long millis) {}

    private final InstantSource clock;
    private final Deque<TimedCount> counts = new ArrayDeque<>();

    public StepRate(InstantSource clock) {
        this.clock = clock;
    }

    /// Sets the progress, in steps or as a share. The first call sets the start.
    public void update(double done) {
        counts.addLast(new TimedCount(done, clock.millis()));
        if (counts.size() > WINDOW) counts.removeFirst();
    }

    /// Restarts the timing at a progress that was reached `ago`.
    public void restartAt(double done, Duration ago) {
        counts.clear();
        counts.addLast(new TimedCount(done, clock.millis() - ago.toMillis()));
    }

    /// Seconds per unit of [#update]; 0 if unknown.
    public double secondsPerStep() {
        if (counts.isEmpty()) return 0;
        TimedCount first = counts.getFirst();
        TimedCount last = counts.getLast();
        return last.done > first.done ? (last.millis - first.millis) / 1000.0 / (last.done - first.done) : 0;
    }
}
