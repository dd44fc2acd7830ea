package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.hub.ModelDownload;
import atomstudio.app.jobs.StepRate;
import java.time.Duration;
import java.time.InstantSource;

/// Progress of a download: a bar on a terminal, or a line every 15 seconds in a file or pipe.
final class DownloadProgressBar implements AutoCloseable {
    private static final Duration REDRAW_INTERVAL = Duration.ofMillis(200);
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(15);
    private static final int BAR_WIDTH = 24;

    private final Terminal terminal;
    private final InstantSource clock = InstantSource.system();
    private final StepRate rate = new StepRate(clock);
    private long lastShownMillis = Long.MIN_VALUE;

    DownloadProgressBar(Terminal terminal) {
        this.terminal = terminal;
    }

    void update(ModelDownload.Progress progress) {
        long now = clock.millis();
        Duration interval = terminal.interactive() ? REDRAW_INTERVAL : LINE_INTERVAL;
        boolean isLast = progress.done() == progress.total();
        if (lastShownMillis != Long.MIN_VALUE && !isLast && now - lastShownMillis < interval.toMillis()) return;
        lastShownMillis = now;
        rate.update(progress.done());
        if (terminal.interactive()) terminal.showStatus(line(progress));
        else terminal.printNote(line(progress));
    }

    private String line(ModelDownload.Progress progress) {
        StringBuilder line = new StringBuilder("downloading  ");
        if (terminal.interactive()) {
            int filled = (int) (BAR_WIDTH * progress.done() / Math.max(1, progress.total()));
            line.append('[').append("=".repeat(filled)).append(" ".repeat(BAR_WIDTH - filled)).append("]  ");
        }
        line.append(DisplayFormat.bytes(progress.done())).append(" of ").append(DisplayFormat.bytes(progress.total()));
        double secondsPerByte = rate.secondsPerStep();
        if (secondsPerByte > 0 && progress.done() < progress.total())
            line.append("  ")
                    .append(DisplayFormat.bytes(Math.round(1 / secondsPerByte)))
                    .append("/s  ")
                    .append(DisplayFormat.clock(secondsPerByte * (progress.total() - progress.done())))
                    .append(" left");
        return line.append("  ").append(progress.file()).toString();
    }

    /// Removes the bar.
    @Override
    public void close() {
        terminal.clearStatus();
    }
}
