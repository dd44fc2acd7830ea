package atomstudio.app.runs;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.tuning.run.TrainingEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// Where a run stands: its events, folded. A value; every event gives a new one.
/// @param message why it failed; empty otherwise
public record RunProgress(RunPhase phase, int step, int steps, RunHistory history, long memory, String message) {
    public enum RunPhase { WAITING, STARTING, TRAINING, PAUSED, CANCELLED, FAILED, DONE }

    /// Loss of a step, as it was and smoothed over its predecessors.
    public record LossPoint(int step, double raw, double smoothed, double seconds) {}

    public record PreviewImage(int step, String file, String prompt) {
        /// Whether a person asked for it, and not the run's own settings.
        public boolean isManual() { return file.contains("-asked-"); }
    }

    /// A validation: `measure` says by what, lower is better, and `best` is the step of the lowest so far (0: none
    /// yet).
    public record ValidationPoint(int step, String metric, double value, int bestStep) {
        /// Whether it is a loss, which compares with the training's.
        public boolean isLoss() { return metric.startsWith("loss"); }
    }

    /// Something worth a line.
    public record RunNote(int step, String text) {}

    /// What has come of the run so far.
    public record RunHistory(List<LossPoint> losses, List<PreviewImage> previews, List<ValidationPoint> validations,
            List<RunNote> notes) {
        static final RunHistory NONE = new RunHistory(List.of(), List.of(), List.of(), List.of());

        public RunHistory {
            losses = List.copyOf(losses);
            previews = List.copyOf(previews);
            validations = List.copyOf(validations);
            notes = List.copyOf(notes);
        }
    }

    /// Weight of the past in the smoothed loss.
    private static final double LOSS_SMOOTHING = 0.95;
    /// Steps over which the speed is taken.
    private static final int SPEED_WINDOW = 20;

    public static RunProgress initial(RunPhase state) {
        return new RunProgress(state, 0, 0, RunHistory.NONE, 0, "");
    }

    public RunProgress after(List<TrainingEvent> events) {
        RunProgress progress = this;
        ProgressAccumulator accumulator = new ProgressAccumulator(history, LOSS_SMOOTHING);
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

    /// How many pictures a person has asked for and got.
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

    /// `0:19 left`; empty while nothing is known.
    public String timeLeft() {
        return phase == RunPhase.TRAINING && secondsPerStep().isPresent()
                ? DisplayFormat.duration((steps - step) * secondsPerStep().getAsDouble()) + " left"
                : "";
    }

    /// `6.0 steps/s · 1.2 GB`.
    public String speedText() {
        if (secondsPerStep().isEmpty()) return "";
        double perSecond = 1 / secondsPerStep().getAsDouble();
        String rate = perSecond >= 0.2 ? String.format(Locale.ROOT, "%.1f steps/s", perSecond)
                : String.format(Locale.ROOT, "%.0f s a step", 1 / perSecond);
        return memory > 0 ? rate + " · " + DisplayFormat.bytes(memory) : rate;
    }

    /// `186 / 250`.
    public String stepText() {
        return steps == 0 ? "" : step + " / " + steps;
    }

    /// Lists that grow during one pass over events, so that a long file is folded in linear time.
    static final class ProgressAccumulator {
        private final double smoothing;
        private final List<LossPoint> losses;
        private final List<PreviewImage> previews;
        private final List<ValidationPoint> validations;
        private final List<RunNote> notes;

        /// @param smoothing weight of the past in the smoothed loss
        ProgressAccumulator(RunHistory before, double smoothing) {
            this.smoothing = smoothing;
            losses = new ArrayList<>(before.losses());
            previews = new ArrayList<>(before.previews());
            validations = new ArrayList<>(before.validations());
            notes = new ArrayList<>(before.notes());
        }

        RunHistory history() {
            return new RunHistory(losses, previews, validations, notes);
        }

        /// What is still to get its history.
        RunProgress apply(RunProgress before, TrainingEvent event) {
            return switch (event) {
                case TrainingEvent.Start started -> {
                    // What lies past the checkpoint it resumes from did not happen.
                    losses.removeIf(loss -> loss.step() > started.step());
                    previews.removeIf(preview -> preview.step() > started.step());
                    validations.removeIf(check -> check.step() > started.step());
                    notes.removeIf(note -> note.step() > started.step());
                    yield progressAt(before, RunPhase.TRAINING, started.step(), started.steps());
                }
                case TrainingEvent.Step stepped -> {
                    double smooth = losses.isEmpty() ? stepped.loss()
                            : smoothing * losses.getLast().smoothed() + (1 - smoothing) * stepped.loss();
                    losses.add(new LossPoint(stepped.step(), stepped.loss(), smooth, stepped.seconds()));
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
                case TrainingEvent.Checkpoint _ -> before;
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
