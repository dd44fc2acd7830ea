package atomstudio.app.runs;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.tuning.run.MovingAverage;
import atomstudio.tuning.run.TrainingEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// State of a run, accumulated from its events. Immutable.
/// @param memory resident memory of the training process, in bytes
/// @param message why it failed; empty otherwise
public record RunProgress(RunPhase phase, int step, int steps, RunHistory history, long memory, String message) {
    public enum RunPhase { WAITING, STARTING, TRAINING, PAUSED, CANCELLED, FAILED, DONE }

    /// Loss of a step.
    /// @param smoothed exponential moving average, bias-corrected
    public record LossPoint(int step, double raw, double smoothed, double seconds) {}

    public record PreviewImage(int step, String file, String prompt) {
        /// Whether the user requested it, rather than the preview interval.
        public boolean isManual() { return file.contains("-asked-"); }
    }

    /// @param value lower is better
    /// @param bestStep step of the lowest value so far; 0: none
    public record ValidationPoint(int step, String metric, double value, int bestStep) {
        /// Whether it is a loss, comparable with the training loss, rather than a score of previews.
        public boolean isLoss() { return metric.startsWith("loss"); }
    }

    public record RunNote(int step, String text) {}

    /// @param checkpoint step of the last checkpoint; 0: none
    public record RunHistory(List<LossPoint> losses, List<PreviewImage> previews, List<ValidationPoint> validations,
            List<RunNote> notes, int checkpoint) {
        static final RunHistory NONE = new RunHistory(List.of(), List.of(), List.of(), List.of(), 0);

        public RunHistory {
            losses = List.copyOf(losses);
            previews = List.copyOf(previews);
            validations = List.copyOf(validations);
            notes = List.copyOf(notes);
        }
    }

    /// Decay of the moving average of the loss.
    private static final double LOSS_SMOOTHING = 0.95;
    /// Number of last steps that the speed is averaged over.
    private static final int SPEED_WINDOW = 20;

    public static RunProgress initial(RunPhase state) {
        return new RunProgress(state, 0, 0, RunHistory.NONE, 0, "");
    }

    public RunProgress after(List<TrainingEvent> events) {
        RunProgress progress = this;
        ProgressAccumulator accumulator = new ProgressAccumulator(history);
        for (TrainingEvent event : events) progress = accumulator.apply(progress, event);
        return new RunProgress(progress.phase, progress.step, progress.steps, accumulator.history(), progress.memory,
                progress.message);
    }

    public RunProgress with(RunPhase changed, String newMessage) {
        return new RunProgress(changed, step, steps, history, memory, newMessage);
    }

    public List<LossPoint> losses() {
        return history.losses;
    }

    public List<PreviewImage> previews() {
        return history.previews;
    }

    /// Number of previews that the user requested.
    public long manualPreviews() {
        return history.previews.stream().filter(PreviewImage::isManual).count();
    }

    /// 0..1.
    public double fraction() {
        return steps == 0 ? 0 : Math.min(1, (double) step / steps);
    }

    public boolean isActive() {
        return switch (phase) {
            case STARTING, TRAINING, PAUSED -> true;
            case WAITING, CANCELLED, FAILED, DONE -> false;
        };
    }

    public OptionalDouble secondsPerStep() {
        return losses().subList(Math.max(0, losses().size() - SPEED_WINDOW), losses().size())
                .stream()
                .mapToDouble(LossPoint::seconds)
                .filter(s -> s > 0)
                .average();
    }

    /// `19 s left`, `6 min left`; empty if unknown.
    public String timeLeft() {
        if (phase != RunPhase.TRAINING || secondsPerStep().isEmpty()) return "";
        double seconds = (steps - step) * secondsPerStep().getAsDouble();
        return text("runs.time-left", seconds < 10 ? Math.round(seconds) + " s" : DisplayFormat.roughDuration(seconds));
    }

    /// `6.0 steps/s · 1.2 GB`.
    public String speedText() {
        if (secondsPerStep().isEmpty()) return "";
        double perSecond = 1 / secondsPerStep().getAsDouble();
        String rate = perSecond >= 0.2 ? String.format(Locale.ROOT, text("runs.1f-steps-s"), perSecond)
                : String.format(Locale.ROOT, text("runs.0f-s-step"), 1 / perSecond);
        return memory > 0 ? rate + " · " + DisplayFormat.bytes(memory) : rate;
    }

    /// `186 / 250`.
    public String stepText() {
        return steps == 0 ? "" : step + " / " + steps;
    }

    /// Mutable lists for one pass over events, so that a long log is read in linear time.
    static final class ProgressAccumulator {
        private final List<LossPoint> losses;
        private final List<PreviewImage> previews;
        private final List<ValidationPoint> validations;
        private final List<RunNote> notes;
        private int checkpoint;

        ProgressAccumulator(RunHistory before) {
            losses = new ArrayList<>(before.losses());
            previews = new ArrayList<>(before.previews());
            validations = new ArrayList<>(before.validations());
            notes = new ArrayList<>(before.notes());
            checkpoint = before.checkpoint();
        }

        RunHistory history() {
            return new RunHistory(losses, previews, validations, notes, checkpoint);
        }

        /// @return the new state without its history
        RunProgress apply(RunProgress before, TrainingEvent event) {
            return switch (event) {
                case TrainingEvent.Start started -> {
                    // Drops events after the checkpoint that the run resumes from.
                    losses.removeIf(loss -> loss.step() > started.step());
                    previews.removeIf(preview -> preview.step() > started.step());
                    validations.removeIf(check -> check.step() > started.step());
                    notes.removeIf(note -> note.step() > started.step());
                    checkpoint = started.step();
                    yield progressAt(before, RunPhase.TRAINING, started.step(), started.steps());
                }
                case TrainingEvent.Step stepped -> {
                    double smoothed = new MovingAverage(LOSS_SMOOTHING, losses.size(),
                            losses.isEmpty() ? 0 : losses.getLast().smoothed()).with(stepped.loss()).value();
                    losses.add(new LossPoint(stepped.step(), stepped.loss(), smoothed, stepped.seconds()));
                    yield new RunProgress(RunPhase.TRAINING, stepped.step(), before.steps(), RunHistory.NONE,
                            stepped.residentBytes(), before.message());
                }
                case TrainingEvent.Preview previewed -> {
                    PreviewImage newPreview = new PreviewImage(previewed.step(), previewed.file(), previewed.prompt());
                    previews.removeIf(preview -> preview.step() == newPreview.step()
                            && preview.isManual() == newPreview.isManual()
                            && preview.prompt().equals(newPreview.prompt()));
                    previews.add(newPreview);
                    yield before;
                }
                case TrainingEvent.Validation validated -> {
                    validations.removeIf(check -> check.step() == validated.step());
                    validations.add(new ValidationPoint(validated.step(), validated.measure(), validated.value(),
                            validated.bestStep()));
                    yield before;
                }
                case TrainingEvent.Note note -> {
                    RunNote runNote = new RunNote(note.step(), note.message());
                    if (!notes.contains(runNote)) notes.add(runNote);
                    yield before;
                }
                case TrainingEvent.Checkpoint written -> {
                    checkpoint = written.step();
                    yield before;
                }
                case TrainingEvent.Paused paused -> progressAt(before, RunPhase.PAUSED, paused.step(), before.steps());
                case TrainingEvent.Resumed resumed ->
                        progressAt(before, RunPhase.TRAINING, resumed.step(), before.steps());
                case TrainingEvent.Cancelled cancelled ->
                        progressAt(before, RunPhase.CANCELLED, cancelled.step(), before.steps());
                case TrainingEvent.Failed failed -> progressAt(before, RunPhase.FAILED, failed.step(), before.steps())
                        .with(RunPhase.FAILED, failed.message());
                case TrainingEvent.Done done -> progressAt(before, RunPhase.DONE, done.step(), before.steps());
            };
        }

        private static RunProgress progressAt(RunProgress before, RunPhase state, int step, int steps) {
            return new RunProgress(state, step, steps, RunHistory.NONE, before.memory(), "");
        }
    }
}
