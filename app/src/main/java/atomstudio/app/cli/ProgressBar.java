package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.StepRate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;

/// Progress of one job on the terminal: a bar that is drawn over, or a plain line now and then where nothing can be
/// drawn over.
///
/// The time left comes from the last steps, so that a slow beginning is soon forgotten. One thread at a time.
public final class ProgressBar implements AutoCloseable {
    private static final Duration REDRAW_INTERVAL = Duration.ofMillis(100);
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(15);
    private static final int BAR_WIDTH = 24;

    private final Terminal terminal;
    private final InstantSource clock;
    private final String title;
    private final int total;
    private final StepRate stepRate;
    private long lastShownMillis = Long.MIN_VALUE;

    private ProgressBar(Terminal terminal, InstantSource clock, String title, int total) {
        this.terminal = terminal;
        this.clock = clock;
        this.title = title;
        this.total = total;
        this.stepRate = new StepRate(clock);
    }

    /// Progress of `title` over `total` steps.
    public static ProgressBar of(Terminal terminal, String title, int total) {
        return of(terminal, InstantSource.system(), title, total);
    }

    static ProgressBar of(Terminal terminal, InstantSource clock, String title, int total) {
        if (total < 1) {
            throw new IllegalArgumentException("total: expected at least 1, found " + total);
        }
        return new ProgressBar(terminal, clock, title, total);
    }

    /// Says that `done` of the steps are done. The first call says where the job begins: a resumed one begins in the
    /// middle.
    public void update(int done) {
        update(done, "");
    }

    /// Says that the steps after `done` began a while ago: the time before then is not theirs.
    public void restartAt(int done, Duration ago) {
        stepRate.restartAt(done, ago);
    }

    /// As [#update(int)], with something to show beside the bar, such as the loss.
    public void update(int done, String detail) {
        long now = clock.millis();
        stepRate.update(done);
        Duration interval = terminal.interactive() ? REDRAW_INTERVAL : LINE_INTERVAL;
        if (lastShownMillis != Long.MIN_VALUE && done < total && now - lastShownMillis < interval.toMillis()) {
            return;
        }
        lastShownMillis = now;
        String line = line(done, detail);
        if (terminal.interactive()) {
            terminal.showStatus(line);
        } else {
            terminal.printNote(line);
        }
    }

    /// Takes the bar away.
    @Override
    public void close() {
        terminal.clearStatus();
    }

    private String line(int done, String detail) {
        StringBuilder line = new StringBuilder(title).append("  ");
        if (terminal.interactive()) {
            int filled = (int) ((long) BAR_WIDTH * Math.clamp(done, 0, total) / total);
            line.append('[').append("=".repeat(filled)).append(" ".repeat(BAR_WIDTH - filled)).append("]  ");
        }
        line.append(done).append('/').append(total);
        if (!detail.isEmpty()) {
            line.append("  ").append(detail);
        }
        double secondsPerStep = stepRate.secondsPerStep();
        if (secondsPerStep > 0) {
            line.append("  ").append(formatRate(secondsPerStep));
            if (done < total) {
                line.append("  ").append(DisplayFormat.duration(secondsPerStep * (total - done))).append(" left");
            }
        }
        return line.toString();
    }

    private static String formatRate(double secondsPerStep) {
        return secondsPerStep < 1
                ? String.format(Locale.ROOT, "%.1f steps/s", 1 / secondsPerStep)
                : String.format(Locale.ROOT, "%.1f s/step", secondsPerStep);
    }
}
