package atomstudio.app.cli;

import atomstudio.app.jobs.Pace;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;

/// Progress of one job on the terminal: a bar that is drawn over, or a plain line now and then where nothing can be drawn over.
///
/// The time left comes from the last steps, so that a slow beginning is soon forgotten. One thread at a time.
public final class Progress implements AutoCloseable {
    private static final Duration REDRAW = Duration.ofMillis(100);
    private static final Duration PLAIN_LINE = Duration.ofSeconds(15);
    private static final int BAR = 24;

    private final Terminal terminal;
    private final InstantSource clock;
    private final String title;
    private final int total;
    private final Pace pace;
    private long shown = Long.MIN_VALUE;

    private Progress(Terminal terminal, InstantSource clock, String title, int total) {
        this.terminal = terminal;
        this.clock = clock;
        this.title = title;
        this.total = total;
        this.pace = new Pace(clock);
    }

    /// Progress of `title` over `total` steps.
    public static Progress of(Terminal terminal, String title, int total) {
        return of(terminal, InstantSource.system(), title, total);
    }

    static Progress of(Terminal terminal, InstantSource clock, String title, int total) {
        if (total < 1) {
            throw new IllegalArgumentException("total: expected at least 1, found " + total);
        }
        return new Progress(terminal, clock, title, total);
    }

    /// Says that `done` of the steps are done. The first call says where the job begins: a resumed one begins in the middle.
    public void at(int done) {
        at(done, "");
    }

    /// Says that the steps after `done` began a while ago: the time before then is not theirs.
    public void from(int done, Duration ago) {
        pace.from(done, ago);
    }

    /// As [#at(int)], with something to show beside the bar, such as the loss.
    public void at(int done, String detail) {
        long now = clock.millis();
        pace.at(done);
        Duration pause = terminal.interactive() ? REDRAW : PLAIN_LINE;
        if (shown != Long.MIN_VALUE && done < total && now - shown < pause.toMillis()) {
            return;
        }
        shown = now;
        String line = line(done, detail);
        if (terminal.interactive()) {
            terminal.status(line);
        } else {
            terminal.note(line);
        }
    }

    /// Takes the bar away.
    @Override
    public void close() {
        terminal.clear();
    }

    private String line(int done, String detail) {
        StringBuilder line = new StringBuilder(title).append("  ");
        if (terminal.interactive()) {
            int filled = (int) ((long) BAR * Math.clamp(done, 0, total) / total);
            line.append('[').append("=".repeat(filled)).append(" ".repeat(BAR - filled)).append("]  ");
        }
        line.append(done).append('/').append(total);
        if (!detail.isEmpty()) {
            line.append("  ").append(detail);
        }
        double seconds = pace.seconds();
        if (seconds > 0) {
            line.append("  ").append(speed(seconds));
            if (done < total) {
                line.append("  ").append(clockFace(Math.round(seconds * (total - done)))).append(" left");
            }
        }
        return line.toString();
    }

    private static String speed(double seconds) {
        return seconds < 1
                ? String.format(Locale.ROOT, "%.1f steps/s", 1 / seconds)
                : String.format(Locale.ROOT, "%.1f s/step", seconds);
    }

    private static String clockFace(long seconds) {
        return seconds >= 3600
                ? "%d:%02d:%02d".formatted(seconds / 3600, seconds / 60 % 60, seconds % 60)
                : "%d:%02d".formatted(seconds / 60, seconds % 60);
    }
}
