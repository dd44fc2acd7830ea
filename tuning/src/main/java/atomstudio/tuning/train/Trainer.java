package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.optimize.Orthogonalization;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The loop: the batches of a step, their gradient, a step of the optimizer, and what must be kept so that nothing is lost when it ends
/// in between.
final class Trainer {
    private static final double LARGEST_NORM = 1;
    private static final int CHECKPOINT_STEPS = 25;
    private static final long CHECKPOINT_NANOS = 30_000_000_000L;
    /// Weight of a step in the running mean of losses.
    private static final double LOSS_WEIGHT = 0.05;
    private static final String BEST = "best";
    static final String BEST_STEP = "best-step";

    /// What a trainer works with; `constants` are the method's frozen numbers.
    record Setup(RunFolder folder, RunInfo info, ParameterLayout layout, List<AdaptedLayer> layers, Map<String, Tensor> constants, Passes passes, TrainingState.Place place) {}

    /// What a trainer asks.
    record Company(Loss loss, Orthogonalization orthogonalization, Journal journal, Previews previews, Optional<Validation> validation) {}

    /// The loss of a batch and its gradient by the trained numbers.
    @FunctionalInterface
    interface Loss {
        DenoisingLoss.Gradient gradient(float[] numbers, TrainingBatch batch) throws Failure;
    }

    /// How training ended, and with what.
    record Reached(TrainingState state, Ending ending) {}

    enum Ending { ALL_STEPS, EARLY, STOPPED }

    private final Setup setup;
    private final Company company;
    private final Optimizer optimizer;
    private final List<LearningRates.ParameterGroup> groups;
    private TrainingState state;
    private TrainingState good;
    private int saved;
    /// Whether something beside the numbers has changed since they were saved.
    private boolean stale;
    private long savedAt = System.nanoTime();

    Trainer(Setup setup, Company company, TrainingState from) {
        this.setup = setup;
        this.company = company;
        this.optimizer = Optimizers.of(recipe(), setup.layout, from, company.orthogonalization);
        this.groups = Optimizers.groups(recipe(), setup.info.method(), setup.layout);
        this.state = from;
        this.good = from.copy();
        this.saved = from.step();
    }

    private Recipe recipe() {
        return setup.info.training().recipe();
    }

    /// Trains to the last step, or until told to stop, or until nothing gets better where the run may end then.
    Reached run(Gate gate) throws Failure {
        int steps = recipe().course().steps();
        while (true) {
            if (gate.stop(state.step(), held(gate))) {
                save();
                company.journal.note(new TuneEvent.Cancelled(state.step()));
                return new Reached(state, Ending.STOPPED);
            }
            if (state.watched() < state.step() && !watch(gate)) continue;
            if (state.step() >= steps || early()) break;
            step();
            if (state.step() - saved >= CHECKPOINT_STEPS || System.nanoTime() - savedAt > CHECKPOINT_NANOS) save();
        }
        save();
        return new Reached(state, state.step() < steps ? Ending.EARLY : Ending.ALL_STEPS);
    }

    private void step() throws Failure {
        long start = System.nanoTime();
        int step = state.step();
        DenoisingLoss.Gradient gradient = setup.passes.gradient(company.loss, state.numbers(), step);
        double norm = AdamW.clipGradientNorm(gradient.vector(), LARGEST_NORM);
        if (!Double.isFinite(gradient.loss()) || !Double.isFinite(norm)) throw diverged(gradient.loss(), norm);
        good = state.copy();
        double rate = recipe().course().rate(step);
        optimizer.step(state.numbers(), gradient.vector(), new LearningRates(rate, groups));
        double mean = step == 0 ? gradient.loss() : state.loss() + LOSS_WEIGHT * (gradient.loss() - state.loss());
        double seconds = (System.nanoTime() - start) / 1e9;
        Map<String, Double> scalars = new HashMap<>(state.scalars());
        scalars.putAll(optimizer.state().scalars());
        state = new TrainingState(step + 1, state.numbers(), vectors(step), scalars, state.seconds() + seconds, mean);
        company.journal.note(new TuneEvent.Step(step + 1, gradient.loss(), rate, seconds, ProcessMemory.resident()));
    }

    /// The optimizer's, and the running mean of the numbers. The first steps count for more in it than later ones, so that it is not
    /// bound to where training began.
    private Map<String, float[]> vectors(int step) {
        double most = recipe().update().ema();
        if (most == 0) return optimizer.state().vectors();
        Map<String, float[]> vectors = new HashMap<>(optimizer.state().vectors());
        double keep = Math.min(most, (1.0 + step) / (10 + step));
        float[] before = state.kept();
        float[] mean = new float[before.length];
        for (int i = 0; i < mean.length; i++) mean[i] = (float) (keep * before[i] + (1 - keep) * state.numbers()[i]);
        vectors.put(TrainingState.MEAN, mean);
        return vectors;
    }

    /// The numbers before the last step still had a finite loss: they are what is kept.
    private Failure diverged(double loss, double norm) throws Failure {
        int at = state.step() + 1;
        state = good;
        save();
        return new Failure.Diverged("training left the numbers at step " + at + ": loss " + loss + ", gradient " + norm + "; the checkpoint in " + setup.folder.folder()
                + " holds step " + good.step() + ", the last that was good. Start again with a smaller --rate (it was " + recipe().course().rate() + ") and another --out");
    }

    private Gate.Held held(Gate gate) {
        return new Gate.Held() {
            @Override public void keep() throws Failure {
                save();
            }

            @Override public void answer(String prompt) throws Failure {
                try {
                    PromptAttentionParser.parse(prompt);
                } catch (Failure.Incompatible mistyped) {
                    company.journal.note(new TuneEvent.Note(state.step(), mistyped.getMessage()));
                    return;
                }
                Optional<Previews.Made> made = company.previews.asked(prompt, state.step(), adapter(state), gate.sampling());
                if (made.isPresent()) company.journal.note(new TuneEvent.Preview(state.step(), made.get().file(), made.get().prompt()));
            }
        };
    }

    private boolean due(int every) {
        return every > 0 && (state.step() % every == 0 || state.step() == recipe().course().steps());
    }

    /// Steps from one validation, and so from one preview that is scored, to the next; 0 for none.
    private int validateEvery() {
        int every = recipe().running().previewEvery();
        return company.validation.isEmpty() ? 0 : every > 0 ? every : Validation.EVERY;
    }

    /// The preview and the validation of this step, where they are due. Whether they are done: not when told to stop meanwhile.
    private boolean watch(Gate gate) throws Failure {
        boolean validate = due(validateEvery());
        boolean scored = company.validation.isPresent() && company.validation.get() instanceof Validation.Scored;
        Optional<RgbImage> picture = Optional.empty();
        if (due(recipe().running().previewEvery()) || validate && scored) {
            Optional<Previews.Made> made = company.previews.at(state.step(), adapter(state), gate.sampling());
            if (made.isEmpty()) return false;
            company.journal.note(new TuneEvent.Preview(state.step(), made.get().file(), made.get().prompt()));
            picture = Optional.of(made.get().picture());
        }
        if (validate) validate(company.validation.orElseThrow(), picture);
        state = state.with(Map.of(TrainingState.WATCHED, (double) state.step()));
        stale = validate || picture.isPresent();
        return true;
    }

    /// What training started from is validated, and never the best: it is no adapter.
    private void validate(Validation validation, Optional<RgbImage> picture) throws Failure {
        double value = validation.at(state.kept(), picture);
        if (state.step() > 0 && value < state.scalar(BEST, Double.POSITIVE_INFINITY)) {
            adapter(state).write(setup.folder.best());
            state = state.with(Map.of(BEST, value, BEST_STEP, (double) state.step()));
        }
        company.journal.note(new TuneEvent.Validation(state.step(), validation.measure(), value, best()));
    }

    /// The step of the best validation so far; 0 where there is none.
    int best() {
        return (int) state.scalar(BEST_STEP, 0);
    }

    private boolean early() {
        if (!recipe().has(Recipe.Feature.STOP_EARLY) || best() == 0) return false;
        return due(validateEvery()) && state.step() - best() >= Validation.PATIENCE * validateEvery();
    }

    /// Saves what was decided before the first step, so that whoever goes on decides the same.
    void keep() throws Failure {
        stale = true;
        save();
    }

    private void save() throws Failure {
        savedAt = System.nanoTime();
        if (saved == state.step() && !stale) return;
        state.write(setup.folder.checkpoint(), adapter(state), setup.place);
        saved = state.step();
        stale = false;
        company.journal.note(new TuneEvent.Checkpoint(saved));
    }

    /// The adapter at a state.
    AdapterFile adapter(TrainingState at) {
        return adapter(setup.info, setup.layout, setup.layers, setup.constants, at);
    }

    /// The adapter at a state of a run.
    static AdapterFile adapter(RunInfo info, ParameterLayout layout, List<AdaptedLayer> layers, Map<String, Tensor> constants, TrainingState at) {
        Map<String, Tensor> values = new HashMap<>(constants);
        values.putAll(layout.fromVector(at.kept()));
        AdapterFile.TrainingSummary training = new AdapterFile.TrainingSummary(at.step(), info.training().rate(), info.training().seed());
        Trigger trigger = new Trigger(info.subject().token(), info.subject().className());
        return new AdapterFile(info.method(), new BaseModel(info.base().name(), info.base().hash()), trigger, training, layers, values);
    }
}
