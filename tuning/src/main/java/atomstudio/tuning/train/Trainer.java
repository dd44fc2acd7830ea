package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.prompt.PromptAttentionParser;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.OptimizerFactory;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The training loop: gradient, optimizer step, previews, validation and checkpoints.
public final class Trainer {
    private static final String BEST_VALUE_KEY = "best";

    /// What is trained.
    /// @param frozenValues of the method
    record TrainerContext(RunFolder folder, RunInfo info, ParameterLayout layout, List<AdaptedLayer> adaptedLayers,
            Map<String, Tensor> frozenValues, GradientAccumulation accumulation,
            TrainingState.ComputeDevice computeDevice) {}

    /// What the loop calls.
    record Collaborators(LossFunction loss, Muon.Orthogonalization orthogonalization, EventSink events,
            PreviewGenerator previews, Optional<Validation> validation) {}

    /// The loss of a batch and its gradient with respect to the parameters.
    @FunctionalInterface
    public interface LossFunction {
        DenoisingLoss.Gradient gradient(float[] parameters, TrainingBatch batch) throws Failure;

        /// The loss of a step, for methods that change other parameters in each.
        default LossFunction atStep(int step) {
            return this;
        }
    }

    record TrainingResult(TrainingState state, StopReason stopReason) {}

    enum StopReason { ALL_STEPS, EARLY_STOPPING, STOPPED }

    private final TrainerContext context;
    private final Collaborators collaborators;
    private final ParameterUpdate update;
    private TrainingState state;
    private TrainingState lastGood;
    private int savedStep;
    /// Whether previews or validation have changed the state since the last checkpoint.
    private boolean unsavedChanges;
    private long savedAt = System.nanoTime();

    Trainer(TrainerContext context, Collaborators collaborators, TrainingState initialState) {
        this.context = context;
        this.collaborators = collaborators;
        this.update = new ParameterUpdate(config(),
                OptimizerFactory.create(config(), context.layout, initialState, collaborators.orthogonalization),
                OptimizerFactory.parameterGroups(config(), context.info.method(), context.layout));
        this.state = initialState;
        this.lastGood = initialState.copy();
        this.savedStep = initialState.step();
    }

    private TrainingConfig config() {
        return context.info.config().requested();
    }

    /// Trains to the last step, until stopped, or until early stopping.
    TrainingResult run(ControlPoint controlPoint) throws Failure {
        int steps = config().schedule().steps();
        while (true) {
            if (controlPoint.shouldStop(state.step(), runningWork(controlPoint))) {
                save();
                collaborators.events.emit(new TrainingEvent.Cancelled(state.step()));
                return new TrainingResult(state, StopReason.STOPPED);
            }
            if (state.evaluatedStep() < state.step() && !evaluate(controlPoint)) continue;
            if (state.step() >= steps || shouldStopEarly()) break;
            step();
            if (ParameterUpdate.isCheckpointDue(state.step() - savedStep, savedAt)) save();
        }
        save();
        return new TrainingResult(state, state.step() < steps ? StopReason.EARLY_STOPPING : StopReason.ALL_STEPS);
    }

    private void step() throws Failure {
        long start = System.nanoTime();
        int step = state.step();
        DenoisingLoss.Gradient gradient = context.accumulation.gradient(collaborators.loss.atStep(step),
                state.parameters(), step);
        double norm = ParameterUpdate.clip(gradient);
        if (!Double.isFinite(gradient.loss()) || !Double.isFinite(norm)) throw diverged(gradient.loss(), norm);
        lastGood = state.copy();
        state = update.apply(state, gradient, start);
        collaborators.events.emit(new TrainingEvent.Step(step + 1, gradient.loss(), update.learningRate(step),
                state.seconds() - lastGood.seconds(), ProcessMemory.resident()));
    }

    /// Saves the state before the last step, which had a finite loss.
    private Failure diverged(double loss, double norm) throws Failure {
        int failedStep = state.step() + 1;
        state = lastGood;
        save();
        return new Failure.Diverged("training diverged at step " + failedStep + ": loss " + loss + ", gradient norm "
                + norm + "; the checkpoint in " + context.folder.folder() + " is of step " + lastGood.step()
                + ". Start again with a smaller learning rate (it was " + config().schedule().learningRate()
                + ") in another folder");
    }

    private ControlPoint.RunningWork runningWork(ControlPoint controlPoint) {
        return new ControlPoint.RunningWork() {
            @Override
            public void saveCheckpoint() throws Failure {
                save();
            }

            @Override
            public void makePreview(String prompt) throws Failure {
                try {
                    PromptAttentionParser.parse(prompt);
                } catch (Failure.Incompatible invalidPrompt) {
                    collaborators.events.emit(new TrainingEvent.Note(state.step(), invalidPrompt.getMessage()));
                    return;
                }
                Optional<PreviewGenerator.GeneratedPreview> preview = collaborators.previews.requested(prompt,
                        state.step(), adapter(state), controlPoint.samplingListener());
                if (preview.isPresent())
                    collaborators.events.emit(
                            new TrainingEvent.Preview(state.step(), preview.get().file(), preview.get().prompt()));
            }
        };
    }

    private boolean isDue(int every) {
        return every > 0 && (state.step() % every == 0 || state.step() == config().schedule().steps());
    }

    /// Steps between validations; 0: none.
    private int validationInterval() {
        int every = config().runtime().previewEvery();
        return collaborators.validation.isEmpty() ? 0 : every > 0 ? every : Validation.DEFAULT_INTERVAL;
    }

    /// Makes the preview and the validation of this step if due. False when stopped before they were done.
    private boolean evaluate(ControlPoint controlPoint) throws Failure {
        boolean validationDue = isDue(validationInterval());
        boolean scoresPreviews = collaborators.validation.isPresent()
                && collaborators.validation.get() instanceof Validation.PreviewScored;
        Optional<RgbImage> image = Optional.empty();
        if (isDue(config().runtime().previewEvery()) || validationDue && scoresPreviews) {
            Optional<PreviewGenerator.GeneratedPreview> preview = collaborators.previews.atStep(state.step(),
                    adapter(state), controlPoint.samplingListener());
            if (preview.isEmpty()) return false;
            collaborators.events
                    .emit(new TrainingEvent.Preview(state.step(), preview.get().file(), preview.get().prompt()));
            image = Optional.of(preview.get().image());
        }
        if (validationDue) validate(collaborators.validation.orElseThrow(), image);
        state = state.with(Map.of(TrainingState.EVALUATED_STEP, (double) state.step()));
        unsavedChanges = validationDue || image.isPresent();
        return true;
    }

    /// The initial parameters are validated too, but never the best.
    private void validate(Validation validation, Optional<RgbImage> image) throws Failure {
        double value = validation.evaluate(state.adapterParameters(), image);
        if (state.step() > 0 && value < state.scalar(BEST_VALUE_KEY, Double.POSITIVE_INFINITY)) {
            adapter(state).write(context.folder.bestAdapter());
            state = state.with(Map.of(BEST_VALUE_KEY, value, TrainingState.BEST_STEP, (double) state.step()));
        }
        collaborators.events
                .emit(new TrainingEvent.Validation(state.step(), validation.description(), value, bestStep()));
    }

    /// The step of the best validation so far; 0: none.
    int bestStep() {
        return (int) state.scalar(TrainingState.BEST_STEP, 0);
    }

    private boolean shouldStopEarly() {
        if (!config().has(TrainingConfig.Feature.EARLY_STOPPING) || bestStep() == 0) return false;
        return isDue(validationInterval()) && state.step() - bestStep() >= Validation.PATIENCE * validationInterval();
    }

    /// Saves decisions made before the first step, for resuming.
    void saveInitialState() throws Failure {
        unsavedChanges = true;
        save();
    }

    private void save() throws Failure {
        savedAt = System.nanoTime();
        if (savedStep == state.step() && !unsavedChanges) return;
        state.write(context.folder.checkpoint(), adapter(state), context.computeDevice);
        savedStep = state.step();
        unsavedChanges = false;
        collaborators.events.emit(new TrainingEvent.Checkpoint(savedStep));
    }

    AdapterFile adapter(TrainingState state) {
        return adapter(context.info, context.layout, context.adaptedLayers, context.frozenValues, state);
    }

    /// The adapter of a state of a run.
    static AdapterFile adapter(RunInfo info, ParameterLayout layout, List<AdaptedLayer> layers,
            Map<String, Tensor> frozenValues, TrainingState state) {
        Map<String, Tensor> values = new HashMap<>(frozenValues);
        values.putAll(layout.fromVector(state.adapterParameters()));
        AdapterFile.TrainingSummary training = new AdapterFile.TrainingSummary(state.step(),
                info.config().learningRate(), info.config().seed());
        Trigger trigger = new Trigger(info.subject().token(), info.subject().className());
        return new AdapterFile(info.method(), info.baseModel().toBaseModel(), trigger, training, layers, values);
    }
}
