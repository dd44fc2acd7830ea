package atomstudio.app.jobs;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;

/// How fast a job goes, by its last steps, so that a slow beginning is soon forgotten. One thread at a time.
public final class StepRate {
    private static final int WINDOW = 32;

    private record TimedCount(double done, long millis) {}

    private final InstantSource clock;
    private final Deque<TimedCount> counts = new ArrayDeque<>();

    public StepRate(InstantSource clock) {
        this.clock = clock;
    }

    /// Says how much is done, in steps or in shares of the whole. The first call says where the job begins.
    public void update(double done) {
        counts.addLast(new TimedCount(done, clock.millis()));
        if (counts.size() > WINDOW) counts.removeFirst();
    }

    /// Says how much was done a while ago, and that nothing before then counts.
    public void restartAt(double done, Duration ago) {
        counts.clear();
        counts.addLast(new TimedCount(done, clock.millis() - ago.toMillis()));
    }

    /// Seconds for one of what [#update] counts; 0 while nothing is known.
    public double secondsPerStep() {
        if (counts.isEmpty()) return 0;
        TimedCount first = counts.getFirst();
        TimedCount last = counts.getLast();
        return last.done > first.done ? (last.millis - first.millis) / 1000.0 / (last.done - first.done) : 0;
    }
}
