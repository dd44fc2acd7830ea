package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.classify.ClassFolders.LabeledImage;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TrainedHead;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.OptimizerFactory;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLossOptions;
import atomstudio.tuning.torch.DenoisingLossOptions.Checkpointing;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TorchClassifier;
import atomstudio.tuning.torch.TorchClassifier.LabeledBatch;
import atomstudio.tuning.torch.TrainingLoss;
import atomstudio.tuning.train.ParameterUpdate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// A classifier's run with its model open: training, and evaluation of what was trained. One thread; owns the network.
public final class ClassifierRun implements AutoCloseable {
    /// Images per forward pass outside training.
    private static final int EVALUATION_BATCH_SIZE = 32;
    private static final String ERROR = "error on the validation images";
    private static final String BEST_ERROR = "best";
    /// Validations without improvement before early stopping.
    private static final int PATIENCE = 4;

    private final RunFolder folder;
    private final ClassifierRunInfo info;
    private final ClassifierModel model;
    private final TrainingEnvironment environment;
    private final TorchClassifier network;
    private final List<Layer> layers;
    private final ParameterLayout layout;
    /// Of the method, which come first; those of the head follow.
    private final int backboneSize;
    private @Nullable AdapterFile trained;

    private ClassifierRun(RunFolder folder, ClassifierRunInfo info, ClassifierModel model,
            TrainingEnvironment environment) throws Failure {
        this.folder = folder;
        this.info = info;
        this.model = model;
        this.environment = environment;
        this.network = TorchClassifier.open(model, OptionalInt.of(info.data().classes().size()), environment.device(),
                environment.torchSettings());
        this.layers = network.network().layers();
        this.layout = ParameterLayout.of(new TrainedHead(info.method().method(), network.network().head()), layers);
        this.backboneSize = ParameterLayout.of(info.method().method(), model.backbone()).size();
    }

    static ClassifierRun open(RunFolder folder, ClassifierRunInfo info, ClassifierModel model,
            TrainingEnvironment environment) throws Failure {
        return new ClassifierRun(folder, info, model, environment);
    }

    /// Opens a run for evaluation.
    /// @throws Failure.Incompatible if it is no classifier's run, or the model's weights are others
    public static ClassifierRun open(Path run, TrainingEnvironment environment) throws Failure {
        RunFolder folder = new RunFolder(run);
        if (!folder.exists())
            throw new Failure.Unreadable(run + ": expected the run of a classifier, found no run.json; "
                    + "studio classify train makes one");
        ClassifierRunInfo info = ClassifierRunInfo.read(folder.infoFile());
        ClassifierModel model = ClassifierModel.open(info.model().path()).withImageSize(info.imageSize());
        try (Checkpoint checkpoint = model.openBackbone()) {
            if (!checkpoint.sha256().equals(info.model().hash()))
                throw new Failure.Incompatible(model.path() + ": expected the model that " + run
                        + " was started with, found other weights; put it back, or train again");
        }
        return open(folder, info, model, environment);
    }

    public ClassifierRunInfo info() {
        return info;
    }

    ClassifierTraining.Outcome train(ClassFolders data, ClassifierTraining.Estimate estimate, RunControl control,
            EventSink listener) throws Failure {
        TrainingState.ComputeDevice device = new TrainingState.ComputeDevice(
                environment.device().name().toLowerCase(Locale.ROOT), network.threads());
        TrainingState.SavedState start = Files.isRegularFile(folder.checkpoint())
                ? TrainingState.read(folder.checkpoint(), layout, info.config(), info.model().toBaseModel())
                : initialState(device);
        network.derive(layout, start.frozenValues());
        int steps = info.config().schedule().steps(), first = start.state().step();
        try (EventLog log = EventLog.resume(folder.eventLog(), first,
                (int) start.state().scalar(TrainingState.EVALUATED_STEP, first))) {
            EventSink events = EventSink.of(log, listener);
            events.emit(new TrainingEvent.Start(first, steps, device.device(), device.threads()));
            if (!estimate.fits()) events.emit(new TrainingEvent.Note(first, memoryWarning(estimate)));
            Loop loop = new Loop(start, device, data, events);
            try (loop) {
                ControlPoint controlPoint = new ControlPoint(control, events);
                ImageBatches batches = new ImageBatches(data.training(), data.classes().size(), model.processor());
                while (true) {
                    if (controlPoint.shouldStop(loop.state.step(), loop)) {
                        loop.saveCheckpoint();
                        events.emit(new TrainingEvent.Cancelled(loop.state.step()));
                        return new ClassifierTraining.Outcome.Stopped(loop.state.step(), steps);
                    }
                    loop.validateIfDue();
                    if (loop.state.step() >= steps || loop.shouldStopEarly()) break;
                    loop.step(batches);
                }
                loop.saveCheckpoint();
            }
            return new ClassifierTraining.Outcome.Finished(finish(loop.state, start.frozenValues(), data, events));
        }
    }

    private static String memoryWarning(ClassifierTraining.Estimate estimate) {
        return String.format(Locale.ROOT, "this run needs about %.1f GB and at most %.1f GB are available: it may run "
                + "out of memory; a smaller batch size or image size, fewer layers, or gradient checkpointing need "
                + "less", estimate.memory() / 1e9, estimate.available() / 1e9);
    }

    static Checkpointing checkpointing(TrainingConfig config) {
        return config.has(TrainingConfig.Feature.GRADIENT_CHECKPOINTING) ? Checkpointing.FULL : Checkpointing.SELECTIVE;
    }

    private TrainingState.SavedState initialState(TrainingState.ComputeDevice device) {
        ParameterLayout.Initialization initialization = new ParameterLayout.Initialization(network::baseWeight,
                info.config().schedule().seed(), List.of());
        return new TrainingState.SavedState(TrainingState.initial(layout.initialVector(initialization)),
                layout.frozenValues(initialization), device);
    }

    /// The training loop's state and its checkpoints.
    private final class Loop implements ControlPoint.RunningWork, AutoCloseable {
        private final TrainingState.ComputeDevice device;
        private final Map<String, Tensor> frozenValues;
        private final ClassFolders data;
        private final EventSink events;
        private final TrainingLoss<LabeledBatch> loss;
        private final ParameterUpdate update;
        private TrainingState state;
        private int savedStep;
        private long savedAt = System.nanoTime();

        Loop(TrainingState.SavedState start, TrainingState.ComputeDevice device, ClassFolders data,
                EventSink events) {
            this.device = device;
            this.data = data;
            this.events = events;
            this.frozenValues = start.frozenValues();
            this.state = start.state();
            this.savedStep = state.step();
            this.loss = network.crossEntropy(
                    new DenoisingLossOptions(layout, frozenValues, checkpointing(info.config()), ComputeDtype.FP32));
            this.update = new ParameterUpdate(info.config(),
                    OptimizerFactory.create(info.config(), layout, state, network.orthogonalization()), groups());
        }

        void step(ImageBatches batches) throws Failure {
            long start = System.nanoTime();
            int step = state.step();
            TrainingConfig config = info.config();
            LabeledBatch batch = batches.training(config.schedule().seed(), step, info.batchSize(),
                    config.has(TrainingConfig.Feature.FLIP));
            TrainingLoss.Gradient gradient = loss.gradient(state.parameters(), batch);
            double norm = ParameterUpdate.clip(gradient);
            if (!Double.isFinite(gradient.loss()) || !Double.isFinite(norm)) {
                saveCheckpoint();
                throw new Failure.Diverged("training diverged at step " + (step + 1) + ": loss " + gradient.loss()
                        + ", gradient norm " + norm + "; start again with a smaller learning rate (it was "
                        + config.schedule().learningRate() + ") in another folder");
            }
            double before = state.seconds();
            state = update.apply(state, gradient, start);
            events.emit(new TrainingEvent.Step(step + 1, gradient.loss(), update.learningRate(step),
                    state.seconds() - before, ProcessMemory.resident()));
            if (ParameterUpdate.isCheckpointDue(state.step() - savedStep, savedAt)) saveCheckpoint();
        }

        /// Steps of a pass over the training images.
        private int epoch() {
            return Math.ceilDiv(data.training().size(), info.batchSize());
        }

        /// After every pass, where validation is chosen: the error on the validation images, and the best adapter.
        void validateIfDue() throws Failure {
            int step = state.step();
            if (!info.config().has(TrainingConfig.Feature.VALIDATE) || step == 0 || step % epoch() != 0
                    || state.scalar(TrainingState.EVALUATED_STEP, 0) == step)
                return;
            AdapterFile adapter = adapter(state, frozenValues);
            double error = 1 - evaluate(adapter, data.validation()).overall().mean();
            if (error < state.scalar(BEST_ERROR, Double.POSITIVE_INFINITY)) {
                adapter.write(folder.bestAdapter());
                state = state.with(Map.of(BEST_ERROR, error, TrainingState.BEST_STEP, (double) step));
            }
            state = state.with(Map.of(TrainingState.EVALUATED_STEP, (double) step));
            events.emit(new TrainingEvent.Validation(step, ERROR, error, bestStep(state)));
        }

        boolean shouldStopEarly() {
            return info.config().has(TrainingConfig.Feature.EARLY_STOPPING) && bestStep(state) > 0
                    && state.step() - bestStep(state) >= PATIENCE * epoch();
        }

        @Override
        public void saveCheckpoint() throws Failure {
            savedAt = System.nanoTime();
            if (savedStep == state.step()) return;
            state.write(folder.checkpoint(), adapter(state, frozenValues), device);
            savedStep = state.step();
            events.emit(new TrainingEvent.Checkpoint(savedStep));
        }

        @Override
        public void makePreview(String prompt) throws Failure {
            events.emit(new TrainingEvent.Note(state.step(), "a classifier has no previews"));
        }

        @Override
        public void close() {
            loss.close();
        }
    }

    /// The step of the best validation so far; 0: none.
    private static int bestStep(TrainingState state) {
        return (int) state.scalar(TrainingState.BEST_STEP, 0);
    }

    /// Those of the method, then the head with its own learning rate.
    private List<LearningRates.ParameterGroup> groups() {
        List<LearningRates.ParameterGroup> groups = new ArrayList<>(OptimizerFactory.parameterGroups(info.config(),
                info.method(), ParameterLayout.of(info.method().method(), model.backbone())));
        groups.add(new LearningRates.ParameterGroup(backboneSize, layout.size(),
                info.headLearningRate() / info.config().schedule().learningRate(),
                info.config().optimizer().weightDecay()));
        return List.copyOf(groups);
    }

    /// The classes stand in place of the trigger's class word.
    private AdapterFile adapter(TrainingState state, Map<String, Tensor> frozenValues) {
        Map<String, Tensor> values = new HashMap<>(frozenValues);
        values.putAll(layout.fromVector(state.adapterParameters()));
        return new AdapterFile(info.method(), info.model().toBaseModel(),
                new Trigger(ClassifierRunInfo.KIND, String.join(", ", info.data().classes())),
                new AdapterFile.TrainingSummary(state.step(), info.config().schedule().learningRate(),
                        info.config().schedule().seed()),
                AdaptedLayer.of(layout.method(), layers), values);
    }

    private ClassifierReport finish(TrainingState state, Map<String, Tensor> frozenValues, ClassFolders data,
            EventSink events) throws Failure {
        AdapterFile adapter = adapter(state, frozenValues);
        ClassifierAccuracy accuracy = evaluate(adapter, data.validation());
        if (state.scalar(TrainingState.EVALUATED_STEP, 0) < state.step())
            events.emit(new TrainingEvent.Validation(state.step(), ERROR, 1 - accuracy.overall().mean(),
                    bestStep(state)));
        OptionalInt best = OptionalInt.empty();
        if (bestStep(state) > 0 && bestStep(state) < state.step()
                && state.scalar(BEST_ERROR, 1) <= 1 - accuracy.overall().mean()) {
            best = OptionalInt.of(bestStep(state));
            adapter = AdapterFile.read(folder.bestAdapter());
            accuracy = evaluate(adapter, data.validation());
            events.emit(new TrainingEvent.Note(state.step(),
                    "the adapter is that of step " + bestStep(state) + ", the best by validation"));
        }
        adapter.write(folder.adapter());
        ClassifierReport report = new ClassifierReport(backboneSize, layout.size() - backboneSize,
                (double) backboneSize / Layer.parameterCount(model.backbone()), state.step(), state.seconds(),
                state.meanLoss(), accuracy.overall(), accuracy.images(), best);
        report.write(folder.reportFile());
        events.emit(new TrainingEvent.Done(state.step(), state.meanLoss(), layout.size(), adapter.fileSize(),
                state.seconds()));
        return report;
    }

    /// The accuracy of the trained classifier, or of its last checkpoint.
    public ClassifierAccuracy evaluate(List<LabeledImage> images) throws Failure {
        return evaluate(trained(), images);
    }

    private ClassifierAccuracy evaluate(AdapterFile adapter, List<LabeledImage> images) throws Failure {
        ImageBatches batches = new ImageBatches(images, info.data().classes().size(), model.processor());
        List<Integer> predicted = new ArrayList<>();
        for (int from = 0; from < images.size(); from += EVALUATION_BATCH_SIZE) {
            int to = Math.min(images.size(), from + EVALUATION_BATCH_SIZE);
            Tensor logits = network.logits(batches.range(from, to).pixels(), layout, adapter.values());
            for (int row = 0; row < to - from; row++)
                predicted.add(ClassifierAccuracy.largest(ClassifierAccuracy.softmax(logits, row)));
        }
        return ClassifierAccuracy.of(info.data().classes(), images.stream().map(LabeledImage::label).toList(),
                predicted);
    }

    /// The probability of each class for an image.
    public double[] predict(Path image) throws Failure {
        Tensor pixels = model.processor().preprocess(ImageFiles.read(image));
        return ClassifierAccuracy.softmax(network.logits(pixels, layout, trained().values()), 0);
    }

    private AdapterFile trained() throws Failure {
        if (trained != null) return trained;
        Path file = Files.isRegularFile(folder.adapter()) ? folder.adapter() : folder.checkpoint();
        if (!Files.isRegularFile(file))
            throw new Failure.Unreadable(folder.folder() + ": the run has no checkpoint yet; train it first");
        AdapterFile adapter = AdapterFile.read(file);
        Map<String, Tensor> frozen = new HashMap<>();
        layout.frozen().forEach(entry -> frozen.put(entry.key(), adapter.values().get(entry.key())));
        network.derive(layout, frozen);
        return trained = adapter;
    }

    @Override
    public void close() {
        network.close();
    }
}
