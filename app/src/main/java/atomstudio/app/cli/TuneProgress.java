package atomstudio.app.cli;

import atomstudio.tuning.train.TuneEvent;
import atomstudio.tuning.train.TuneListener;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A run's events as a bar with the loss beside it. On the thread that trains.
final class TuneProgress implements TuneListener, AutoCloseable {
    /// How much of the shown loss is what was shown before: single steps jump with their noise.
    private static final double MEMORY = 0.9;

    private final Terminal terminal;
    private final String title;
    private @Nullable Progress progress;
    private double loss = Double.NaN;
    /// Whether the next step comes after something else: pictures that are encoded, or a pause.
    private boolean begins;

    TuneProgress(Terminal terminal, String title) {
        this.terminal = terminal;
        this.title = title;
    }

    @Override
    public void on(TuneEvent event) {
        switch (event) {
            case TuneEvent.Start start -> begin(start);
            case TuneEvent.Step step -> show(step);
            case TuneEvent.Paused paused -> terminal.note("%s: paused after step %d".formatted(title, paused.step()));
            case TuneEvent.Resumed resumed -> {
                terminal.note("%s: goes on after step %d".formatted(title, resumed.step()));
                begins = true;
            }
            case TuneEvent.Validation validation -> terminal.note(String.format(Locale.ROOT, "%s: step %d, %s %.4f%s", title, validation.step(), validation.measure(), validation.value(),
                    validation.best() == validation.step() && validation.step() > 0 ? " (the best so far)" : ""));
            case TuneEvent.Note note -> terminal.note(note.message());
            case TuneEvent.Preview _, TuneEvent.Checkpoint _, TuneEvent.Cancelled _, TuneEvent.Failed _, TuneEvent.Done _ -> { }
        }
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }

    private void begin(TuneEvent.Start start) {
        close();
        progress = Progress.of(terminal, title, start.steps());
        progress.at(start.step());
        begins = true;
    }

    private void show(TuneEvent.Step step) {
        loss = Double.isNaN(loss) ? step.loss() : MEMORY * loss + (1 - MEMORY) * step.loss();
        if (progress != null) {
            if (begins) {
                progress.from(step.step() - 1, Duration.ofMillis(Math.round(1000 * step.seconds())));
                begins = false;
            }
            progress.at(step.step(), String.format(Locale.ROOT, "loss %.4f", loss));
        }
    }
}
