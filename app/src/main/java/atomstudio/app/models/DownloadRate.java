package atomstudio.app.models;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.hub.ModelDownload;
import atomstudio.app.jobs.StepRate;
import java.time.InstantSource;
import java.util.Optional;

/// The speed of a download, four times a second. One thread.
final class DownloadRate {
    private static final long INTERVAL_MILLIS = 250;

    private final InstantSource clock = InstantSource.system();
    private final StepRate rate = new StepRate(clock);
    private long lastMillis = Long.MIN_VALUE;

    /// `1.2 GB of 2.1 GB · 12 MB/s · 1:10 left`; empty if the last text is recent.
    Optional<String> update(ModelDownload.Progress progress) {
        long now = clock.millis();
        if (lastMillis != Long.MIN_VALUE && now - lastMillis < INTERVAL_MILLIS) return Optional.empty();
        lastMillis = now;
        rate.update(progress.done());
        String amount = text("models.of", DisplayFormat.bytes(progress.done()), DisplayFormat.bytes(progress.total()));
        double secondsPerByte = rate.secondsPerStep();
        if (secondsPerByte == 0) return Optional.of(amount);
        return Optional.of(amount + " · " + DisplayFormat.bytes(Math.round(1 / secondsPerByte)) + "/s · "
                + DisplayFormat.clock(secondsPerByte * (progress.total() - progress.done())) + " left");
    }
}
