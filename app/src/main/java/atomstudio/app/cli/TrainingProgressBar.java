package atomstudio.app.cli;

import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.MovingAverage;
import atomstudio.tuning.run.TrainingEvent;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Shows the events of a run as a progress bar with the loss. Called on the training thread.
final class TrainingProgressBar implements EventSink, AutoCloseable {
    /// Exponential smoothing of the shown loss, which varies from step to step with the noise.
    private static final double LOSS_SMOOTHING = 0.9;

    private final Terminal terminal;
    private final String title;
    private @Nullable ProgressBar progressBar;
    private MovingAverage loss = MovingAverage.of(LOSS_SMOOTHING);
    /// Whether something other than a step came before the next step: encoding of photos, or a pause.
    private boolean restartTiming;

    TrainingProgressBar(Terminal terminal, String title) {
        this.terminal = terminal;
        this.title = title;
    }

    @Override
    public void emit(TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Start start -> start(start);
            case TrainingEvent.Step step -> update(step);
            case TrainingEvent.Paused paused ->
                    terminal.printNote("%s: paused after step %d".formatted(title, paused.step()));
            case TrainingEvent.Resumed resumed -> {
                terminal.printNote("%s: resumed after step %d".formatted(title, resumed.step()));
                restartTiming = true;
            }
            case TrainingEvent.Validation validation -> terminal.printNote(String.format(Locale.ROOT,
                    "%s: step %d, %s %.4f%s", title, validation.step(), validation.measure(), validation.value(),
                    validation.bestStep() == validation.step() && validation.step() > 0 ? " (best so far)" : ""));
            case TrainingEvent.Note note -> terminal.printNote(note.message());
            case TrainingEvent.Preview _,TrainingEvent.Checkpoint _,TrainingEvent.Cancelled _ -> {}
            case TrainingEvent.Failed _,TrainingEvent.Done _ -> {}
        }
    }

    @Override
    public void close() {
        if (progressBar != null) {
            progressBar.close();
        }
    }

    private void start(TrainingEvent.Start event) {
        close();
        progressBar = ProgressBar.of(terminal, title, event.steps());
        progressBar.update(event.step());
        restartTiming = true;
    }

    private void update(TrainingEvent.Step step) {
        loss = loss.with(step.loss());
        if (progressBar != null) {
            if (restartTiming) {
                progressBar.restartAt(step.step() - 1, Duration.ofMillis(Math.round(1000 * step.seconds())));
                restartTiming = false;
            }
            progressBar.update(step.step(), String.format(Locale.ROOT, "loss %.4f", loss.value()));
        }
    }
}
