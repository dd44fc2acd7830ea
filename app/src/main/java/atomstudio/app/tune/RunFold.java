package atomstudio.app.tune;

import atomstudio.app.tune.RunProgress.Check;
import atomstudio.app.tune.RunProgress.History;
import atomstudio.app.tune.RunProgress.Loss;
import atomstudio.app.tune.RunProgress.Preview;
import atomstudio.app.tune.RunProgress.Remark;
import atomstudio.app.tune.RunProgress.State;
import atomstudio.tuning.train.TuneEvent;
import java.util.ArrayList;
import java.util.List;

/// Lists that grow during one pass over events, so that a long file is folded in linear time.
final class RunFold {
    private final double inertia;
    private final List<Loss> losses;
    private final List<Preview> previews;
    private final List<Check> checks;
    private final List<Remark> notes;

    /// @param inertia weight of the past in the smoothed loss
    RunFold(History before, double inertia) {
        this.inertia = inertia;
        losses = new ArrayList<>(before.losses());
        previews = new ArrayList<>(before.previews());
        checks = new ArrayList<>(before.checks());
        notes = new ArrayList<>(before.notes());
    }

    History history() {
        return new History(losses, previews, checks, notes);
    }

    /// What is still to get its history.
    RunProgress apply(RunProgress before, TuneEvent event) {
        return switch (event) {
            case TuneEvent.Start started -> {
                // What lies past the checkpoint it resumes from did not happen.
                losses.removeIf(loss -> loss.step() > started.step());
                previews.removeIf(preview -> preview.step() > started.step());
                checks.removeIf(check -> check.step() > started.step());
                notes.removeIf(note -> note.step() > started.step());
                yield at(before, State.TUNING, started.step(), started.steps());
            }
            case TuneEvent.Step stepped -> {
                double smooth = losses.isEmpty() ? stepped.loss() : inertia * losses.getLast().smooth() + (1 - inertia) * stepped.loss();
                losses.add(new Loss(stepped.step(), stepped.loss(), smooth, stepped.seconds()));
                yield new RunProgress(State.TUNING, stepped.step(), before.steps(), History.NONE, stepped.memory(), before.message());
            }
            case TuneEvent.Preview previewed -> {
                Preview made = new Preview(previewed.step(), previewed.file(), previewed.prompt());
                previews.removeIf(preview -> preview.step() == made.step() && preview.asked() == made.asked() && preview.prompt().equals(made.prompt()));
                previews.add(made);
                yield before;
            }
            case TuneEvent.Validation validated -> {
                checks.removeIf(check -> check.step() == validated.step());
                checks.add(new Check(validated.step(), validated.measure(), validated.value(), validated.best()));
                yield before;
            }
            case TuneEvent.Note note -> {
                Remark remark = new Remark(note.step(), note.message());
                if (!notes.contains(remark)) notes.add(remark);
                yield before;
            }
            case TuneEvent.Checkpoint _ -> before;
            case TuneEvent.Paused paused -> at(before, State.PAUSED, paused.step(), before.steps());
            case TuneEvent.Resumed resumed -> at(before, State.TUNING, resumed.step(), before.steps());
            case TuneEvent.Cancelled cancelled -> at(before, State.CANCELLED, cancelled.step(), before.steps());
            case TuneEvent.Failed failed -> at(before, State.FAILED, failed.step(), before.steps()).with(State.FAILED, failed.message());
            case TuneEvent.Done done -> at(before, State.DONE, done.step(), before.steps());
        };
    }

    private static RunProgress at(RunProgress before, State state, int step, int steps) {
        return new RunProgress(state, step, steps, History.NONE, before.memory(), "");
    }
}
