package atomstudio.app.jobs;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;

/// How fast a job goes, by its last steps, so that a slow beginning is soon forgotten. One thread at a time.
public final class Pace {
    private static final int REMEMBERED = 32;

    private record Mark(double done, long millis) {}

    private final InstantSource clock;
    private final Deque<Mark> marks = new ArrayDeque<>();

    public Pace(InstantSource clock) {
        this.clock = clock;
    }

    /// Says how much is done, in steps or in shares of the whole. The first call says where the job begins.
    public void at(double done) {
        marks.addLast(new Mark(done, clock.millis()));
        if (marks.size() > REMEMBERED) marks.removeFirst();
    }

    /// Says how much was done a while ago, and that nothing before then counts.
    public void from(double done, Duration ago) {
        marks.clear();
        marks.addLast(new Mark(done, clock.millis() - ago.toMillis()));
    }

    /// Seconds for one of what [#at] counts; 0 while nothing is known.
    public double seconds() {
        if (marks.isEmpty()) return 0;
        Mark from = marks.getFirst();
        Mark to = marks.getLast();
        return to.done > from.done ? (to.millis - from.millis) / 1000.0 / (to.done - from.done) : 0;
    }
}
