package atomstudio.app.tune;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.tuning.train.TuneEvent;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/// Where a run stands: its events, folded. A value; every event gives a new one.
/// @param message why it failed; empty otherwise
public record RunProgress(State state, int step, int steps, History history, long memory, String message) {
    public enum State { WAITING, STARTING, TUNING, PAUSED, CANCELLED, FAILED, DONE }

    /// Loss of a step, as it was and smoothed over its predecessors.
    public record Loss(int step, double raw, double smooth, double seconds) {}

    public record Preview(int step, String file, String prompt) {
        /// Whether a person asked for it, and not the run's own settings.
        public boolean asked() {
            return file.contains("-asked-");
        }
    }

    /// A validation: `measure` says by what, lower is better, and `best` is the step of the lowest so far (0: none yet).
    public record Check(int step, String measure, double value, int best) {
        /// Whether it is a loss, which compares with the training's.
        public boolean loss() {
            return measure.startsWith("loss");
        }
    }

    /// Something worth a line.
    public record Remark(int step, String text) {}

    /// What has come of the run so far.
    public record History(List<Loss> losses, List<Preview> previews, List<Check> checks, List<Remark> notes) {
        static final History NONE = new History(List.of(), List.of(), List.of(), List.of());

        public History {
            losses = List.copyOf(losses);
            previews = List.copyOf(previews);
            checks = List.copyOf(checks);
            notes = List.copyOf(notes);
        }
    }

    /// Weight of the past in the smoothed loss.
    private static final double INERTIA = 0.95;
    /// Steps over which the speed is taken.
    private static final int RECENT = 20;

    public static RunProgress none(State state) {
        return new RunProgress(state, 0, 0, History.NONE, 0, "");
    }

    public RunProgress after(List<TuneEvent> events) {
        RunProgress progress = this;
        RunFold fold = new RunFold(history, INERTIA);
        for (TuneEvent event : events) progress = fold.apply(progress, event);
        return new RunProgress(progress.state, progress.step, progress.steps, fold.history(), progress.memory, progress.message);
    }

    public RunProgress with(State changed, String why) {
        return new RunProgress(changed, step, steps, history, memory, why);
    }

    public List<Loss> losses() {
        return history.losses;
    }

    public List<Preview> previews() {
        return history.previews;
    }

    /// How many pictures a person has asked for and got.
    public long asked() {
        return history.previews.stream().filter(Preview::asked).count();
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
        return losses().subList(Math.max(0, losses().size() - RECENT), losses().size()).stream().mapToDouble(Loss::seconds).filter(s -> s > 0).average();
    }

    /// `0:19 left`; empty while nothing is known.
    public String timeLeft() {
        return state == State.TUNING && secondsPerStep().isPresent() ? DisplayFormat.duration((steps - step) * secondsPerStep().getAsDouble()) + " left" : "";
    }

    /// `6.0 steps/s · 1.2 GB`.
    public String speed() {
        if (secondsPerStep().isEmpty()) return "";
        double perSecond = 1 / secondsPerStep().getAsDouble();
        String rate = perSecond >= 0.2 ? String.format(Locale.ROOT, "%.1f steps/s", perSecond) : String.format(Locale.ROOT, "%.0f s a step", 1 / perSecond);
        return memory > 0 ? rate + " · " + DisplayFormat.bytes(memory) : rate;
    }

    /// `186 / 250`.
    public String count() {
        return steps == 0 ? "" : step + " / " + steps;
    }
}
