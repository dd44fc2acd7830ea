package atomstudio.app.tune;

import atomstudio.app.desktop.Readable;
import atomstudio.tuning.train.TuneEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// Where a run stands: its events, folded. A value; every event gives a new one.
/// @param message why it failed, or else the last remark
public record RunProgress(State state, int step, int steps, List<Loss> losses, List<Preview> previews, long memory, String message) {
    public enum State { WAITING, STARTING, TUNING, PAUSED, CANCELLED, FAILED, DONE }

    /// Loss of a step, as it was and smoothed over its predecessors.
    public record Loss(int step, double raw, double smooth, double seconds) {}

    public record Preview(int step, String file, String prompt) {}

    /// Weight of the past in the smoothed loss.
    private static final double INERTIA = 0.95;
    /// Steps over which the speed is taken.
    private static final int RECENT = 20;

    public RunProgress {
        losses = List.copyOf(losses);
        previews = List.copyOf(previews);
    }

    public static RunProgress none(State state) {
        return new RunProgress(state, 0, 0, List.of(), List.of(), 0, "");
    }

    public RunProgress after(List<TuneEvent> events) {
        RunProgress progress = this;
        Fold fold = new Fold(losses, previews);
        for (TuneEvent event : events) progress = fold.apply(progress, event);
        return new RunProgress(progress.state, progress.step, progress.steps, fold.losses, fold.previews, progress.memory, progress.message);
    }

    public RunProgress with(State changed, String why) {
        return new RunProgress(changed, step, steps, losses, previews, memory, why);
    }

    /// 0..1.
    public double fraction() {
        return steps == 0 ? 0 : Math.min(1, (double) step / steps);
    }

    public boolean active() {
        return switch (state) {
            case STARTING, TUNING, PAUSED -> true;
            case WAITING, CANCELLED, FAILED, DONE -> false;
        };
    }

    public OptionalDouble secondsPerStep() {
        return losses.subList(Math.max(0, losses.size() - RECENT), losses.size()).stream().mapToDouble(Loss::seconds).filter(s -> s > 0).average();
    }

    /// `0:19 left`; empty while nothing is known.
    public String timeLeft() {
        return state == State.TUNING && secondsPerStep().isPresent() ? Readable.duration((steps - step) * secondsPerStep().getAsDouble()) + " left" : "";
    }

    /// `6.0 steps/s · 1.2 GB`.
    public String speed() {
        if (secondsPerStep().isEmpty()) return "";
        double perSecond = 1 / secondsPerStep().getAsDouble();
        String rate = perSecond >= 0.2 ? String.format(Locale.ROOT, "%.1f steps/s", perSecond) : String.format(Locale.ROOT, "%.0f s a step", 1 / perSecond);
        return memory > 0 ? rate + " · " + Readable.bytes(memory) : rate;
    }

    /// `186 / 250`.
    public String count() {
        return steps == 0 ? "" : step + " / " + steps;
    }

    /// Lists that grow during one pass over events, so that a long file is folded in linear time.
    private static final class Fold {
        private final List<Loss> losses;
        private final List<Preview> previews;

        Fold(List<Loss> losses, List<Preview> previews) {
            this.losses = new ArrayList<>(losses);
            this.previews = new ArrayList<>(previews);
        }

        RunProgress apply(RunProgress before, TuneEvent event) {
            return switch (event) {
                case TuneEvent.Start started -> {
                    // What lies past the checkpoint it resumes from did not happen.
                    losses.removeIf(loss -> loss.step > started.step());
                    previews.removeIf(preview -> preview.step > started.step());
                    yield at(before, State.TUNING, started.step(), started.steps(), "");
                }
                case TuneEvent.Step stepped -> {
                    double smooth = losses.isEmpty() ? stepped.loss() : INERTIA * losses.getLast().smooth + (1 - INERTIA) * stepped.loss();
                    losses.add(new Loss(stepped.step(), stepped.loss(), smooth, stepped.seconds()));
                    yield new RunProgress(State.TUNING, stepped.step(), before.steps, List.of(), List.of(), stepped.memory(), before.message);
                }
                case TuneEvent.Preview previewed -> {
                    previews.removeIf(preview -> preview.step == previewed.step() && preview.prompt.equals(previewed.prompt()));
                    previews.add(new Preview(previewed.step(), previewed.file(), previewed.prompt()));
                    yield before;
                }
                case TuneEvent.Checkpoint _, TuneEvent.Validation _ -> before;
                case TuneEvent.Note note -> at(before, before.state, before.step, before.steps, note.message());
                case TuneEvent.Paused paused -> at(before, State.PAUSED, paused.step(), before.steps, "");
                case TuneEvent.Resumed resumed -> at(before, State.TUNING, resumed.step(), before.steps, "");
                case TuneEvent.Cancelled cancelled -> at(before, State.CANCELLED, cancelled.step(), before.steps, "");
                case TuneEvent.Failed failed -> at(before, State.FAILED, failed.step(), before.steps, failed.message());
                case TuneEvent.Done done -> at(before, State.DONE, done.step(), before.steps, "");
            };
        }

        private static RunProgress at(RunProgress before, State state, int step, int steps, String message) {
            return new RunProgress(state, step, steps, List.of(), List.of(), before.memory, message);
        }
    }
}
