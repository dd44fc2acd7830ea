package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.TunedLayer;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.torch.Batch;
import atomstudio.tuning.torch.Differentiation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The loop: a batch, its gradient, a step of AdamW, and what must be kept so that nothing is lost when it ends in between.
final class Trainer {
    private static final double LARGEST_NORM = 1;
    private static final int CHECKPOINT_STEPS = 25;
    private static final long CHECKPOINT_NANOS = 30_000_000_000L;
    private static final long POLL_MILLIS = 50;
    /// Weight of a step in the running mean of losses.
    private static final double LOSS_WEIGHT = 0.05;

    /// What a trainer works with; `constants` are the method's frozen numbers.
    record Setup(RunFolder folder, RunInfo info, SlotLayout layout, List<TunedLayer> layers, Map<String, Tensor> constants, Dataset dataset, TrainingState.Place place) {}

    /// The loss of a batch and its gradient by the trained numbers.
    @FunctionalInterface
    interface Loss {
        Differentiation.Gradient gradient(float[] numbers, Batch batch) throws Failure;
    }

    private final Setup setup;
    private final Loss loss;
    private final Journal journal;
    private final Previews previews;
    private TrainingState state;
    private TrainingState good;
    private int saved;
    private long savedAt = System.nanoTime();

    Trainer(Setup setup, Loss loss, Journal journal, Previews previews, TrainingState from) {
        this.setup = setup;
        this.loss = loss;
        this.journal = journal;
        this.previews = previews;
        this.state = from;
        this.good = from.copy();
        this.saved = from.step();
    }

    /// Trains to the last step, or until told to stop. Returns what was reached.
    TrainingState run(Control control) throws Failure {
        int steps = setup.info.training().steps();
        int every = setup.info.training().previewEvery();
        if (every > 0 && state.step() == 0) preview();
        while (state.step() < steps) {
            if (stopped(control)) {
                save();
                journal.note(new TuneEvent.Cancelled(state.step()));
                return state;
            }
            step();
            if (state.step() - saved >= CHECKPOINT_STEPS || System.nanoTime() - savedAt > CHECKPOINT_NANOS) save();
            if (every > 0 && (state.step() % every == 0 || state.step() == steps)) preview();
        }
        save();
        return state;
    }

    private void step() throws Failure {
        long start = System.nanoTime();
        RunInfo.Training training = setup.info.training();
        int step = state.step();
        Differentiation.Gradient gradient = loss.gradient(state.numbers(), setup.dataset.batch(training.seed(), step, training.batch()));
        double norm = AdamW.clip(gradient.vector(), LARGEST_NORM);
        if (!Double.isFinite(gradient.loss()) || !Double.isFinite(norm)) throw diverged(gradient.loss(), norm);
        good = state.copy();
        double rate = training.recipe().course().rate(step);
        new AdamW(state.first(), state.second(), step, 0).step(state.numbers(), gradient.vector(), rate);
        double mean = step == 0 ? gradient.loss() : state.loss() + LOSS_WEIGHT * (gradient.loss() - state.loss());
        double seconds = (System.nanoTime() - start) / 1e9;
        state = new TrainingState(step + 1, state.numbers(), state.first(), state.second(), state.seconds() + seconds, mean);
        journal.note(new TuneEvent.Step(step + 1, gradient.loss(), rate, seconds, ResidentMemory.now()));
    }

    /// The numbers before the last step still had a finite loss: they are what is kept.
    private Failure diverged(double loss, double norm) throws Failure {
        int at = state.step() + 1;
        state = good;
        save();
        return new Failure.Diverged("training left the numbers at step " + at + ": loss " + loss + ", gradient " + norm + "; the checkpoint in " + setup.folder.folder()
                + " holds step " + good.step() + ", the last that was good. Start again with a smaller --rate (it was " + setup.info.training().rate() + ") and another --out");
    }

    /// Waits while paused.
    private boolean stopped(Control control) throws Failure {
        Control.Wish wish = control.wish();
        if (wish == Control.Wish.PAUSE) {
            save();
            journal.note(new TuneEvent.Paused(state.step()));
            while ((wish = control.wish()) == Control.Wish.PAUSE) {
                try {
                    Thread.sleep(POLL_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return true;
                }
            }
            if (wish == Control.Wish.CONTINUE) journal.note(new TuneEvent.Resumed(state.step()));
        }
        return wish == Control.Wish.STOP || Thread.currentThread().isInterrupted();
    }

    private void save() throws Failure {
        savedAt = System.nanoTime();
        if (saved == state.step()) return;
        state.write(setup.folder.checkpoint(), adapter(state), setup.place);
        saved = state.step();
        journal.note(new TuneEvent.Checkpoint(saved));
    }

    private void preview() throws Failure {
        String file = previews.write(adapter(state), state.step());
        journal.note(new TuneEvent.Preview(state.step(), file, previews.prompt()));
    }

    /// The adapter at a state.
    AdapterFile adapter(TrainingState at) {
        RunInfo info = setup.info;
        Map<String, Tensor> values = new HashMap<>(setup.constants);
        values.putAll(setup.layout.values(at.numbers()));
        AdapterFile.Training training = new AdapterFile.Training(at.step(), info.training().rate(), info.training().seed());
        Trigger trigger = new Trigger(info.subject().token(), info.subject().className());
        return new AdapterFile(info.method(), new BaseModel(info.base().name(), info.base().hash()), trigger, training, setup.layers, values);
    }
}
