package atomstudio.app.tune;

import atomstudio.app.tune.RunProgress.LossPoint;
import atomstudio.app.tune.RunProgress.PreviewImage;
import atomstudio.app.tune.RunProgress.RunHistory;
import atomstudio.app.tune.RunProgress.RunNote;
import atomstudio.app.tune.RunProgress.RunPhase;
import atomstudio.app.tune.RunProgress.ValidationPoint;
import atomstudio.tuning.train.TrainingEvent;
import java.util.ArrayList;
import java.util.List;

/// Lists that grow during one pass over events, so that a long file is folded in linear time.
final class ProgressAccumulator {
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
                double smooth = losses.isEmpty() ? stepped.loss() : smoothing * losses.getLast().smoothed() + (1 - smoothing) * stepped.loss();
                losses.add(new LossPoint(stepped.step(), stepped.loss(), smooth, stepped.seconds()));
                yield new RunProgress(RunPhase.TRAINING, stepped.step(), before.steps(), RunHistory.NONE, stepped.residentBytes(), before.message());
            }
            case TrainingEvent.Preview previewed -> {
                PreviewImage newPreview = new PreviewImage(previewed.step(), previewed.file(), previewed.prompt());
                previews.removeIf(preview -> preview.step() == newPreview.step() && preview.isManual() == newPreview.isManual() && preview.prompt().equals(newPreview.prompt()));
                previews.add(newPreview);
                yield before;
            }
            case TrainingEvent.Validation validated -> {
                validations.removeIf(check -> check.step() == validated.step());
                validations.add(new ValidationPoint(validated.step(), validated.measure(), validated.value(), validated.bestStep()));
                yield before;
            }
            case TrainingEvent.Note note -> {
                RunNote runNote = new RunNote(note.step(), note.message());
                if (!notes.contains(runNote)) notes.add(runNote);
                yield before;
            }
            case TrainingEvent.Checkpoint _ -> before;
            case TrainingEvent.Paused paused -> progressAt(before, RunPhase.PAUSED, paused.step(), before.steps());
            case TrainingEvent.Resumed resumed -> progressAt(before, RunPhase.TRAINING, resumed.step(), before.steps());
            case TrainingEvent.Cancelled cancelled -> progressAt(before, RunPhase.CANCELLED, cancelled.step(), before.steps());
            case TrainingEvent.Failed failed -> progressAt(before, RunPhase.FAILED, failed.step(), before.steps()).with(RunPhase.FAILED, failed.message());
            case TrainingEvent.Done done -> progressAt(before, RunPhase.DONE, done.step(), before.steps());
        };
    }

    private static RunProgress progressAt(RunProgress before, RunPhase state, int step, int steps) {
        return new RunProgress(state, step, steps, RunHistory.NONE, before.memory(), "");
    }
}
