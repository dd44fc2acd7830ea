package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.run.TrainingState;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.ProcessMemory;
import atomstudio.tuning.torch.TrainingBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// One run: encoding the data, the training loop, then adapter and report.
final class TrainingRun implements AutoCloseable {
    private final RunFolder folder;
    private final RunInfo info;
    private final DiffusionModel model;
    private final TrainingSetup setup;

    private TrainingRun(RunFolder folder, TrainingSetup setup) {
        this.folder = folder;
        this.info = setup.info();
        this.model = setup.model();
        this.setup = setup;
    }

    static TrainingRun open(RunFolder folder, RunInfo info, DiffusionModel model, TrainingEnvironment environment)
            throws Failure {
        return new TrainingRun(folder, TrainingSetup.open(info, model, folder.startingAdapters(info), environment));
    }

    TrainingService.TrainingOutcome train(TrainingService.RunCallbacks callbacks) throws Failure {
        TrainingState.ComputeDevice device = setup.computeDevice();
        TrainingState.SavedState start = Files.isRegularFile(folder.checkpoint())
                ? TrainingState.read(folder.checkpoint(), setup.layout(), info)
                : setup.initialState();
        int step = start.state().step();
        try (EventLog log = EventLog.resume(folder.eventLog(), step, start.state().evaluatedStep())) {
            EventSink events = EventSink.of(log, callbacks.listener());
            events.emit(new TrainingEvent.Start(step, info.config().steps(), device.device(), device.threads()));
            for (String line : callbacks.warnings()) events.emit(new TrainingEvent.Note(step, line));
            if (!start.computeDevice().equals(device)) events.emit(deviceChangeNotice(start, device));
            try {
                return train(start, events, new ControlPoint(callbacks.control(), events));
            } catch (Failure | RuntimeException e) {
                recordFailure(events, e);
                throw e;
            }
        }
    }

    private TrainingService.TrainingOutcome train(TrainingState.SavedState start, EventSink events,
            ControlPoint controlPoint) throws Failure {
        int startStep = start.state().step();
        PreviewGenerator previews = new PreviewGenerator(folder, model, setup.pipeline(), info.subject());
        Optional<TrainingDatasets> encoded = datasets(startStep, previews, events, controlPoint);
        if (encoded.isEmpty()) {
            events.emit(new TrainingEvent.Cancelled(startStep));
            return new TrainingService.TrainingOutcome.Stopped(startStep, info.config().steps());
        }
        TrainingDatasets datasets = encoded.get();
        GradientAccumulation accumulation = new GradientAccumulation(datasets.photos(), datasets.classImages(),
                info.config().seed());
        ComputeMode computeMode = setup.prepare(start, accumulation);
        for (String line : runWarnings(computeMode)) events.emit(new TrainingEvent.Note(startStep, line));
        Map<String, Tensor> frozenValues = start.frozenValues();
        try (DenoisingLoss denoisingLoss = denoisingLoss(computeMode, frozenValues);
                DenoisingLoss fp32Loss = denoisingLoss(computeMode.withFp32(), frozenValues)) {
            Trainer.LossFunction ownLoss = methodLoss(denoisingLoss);
            Trainer.LossFunction loss = computeMode.computeDtype() == ComputeDtype.FP32 ? ownLoss
                    : new ComputeMode.Fp32Fallback(ownLoss, methodLoss(fp32Loss), events);
            Optional<Validation> validation = validation(datasets, denoisingLoss, previews, events);
            Trainer.TrainerContext context = new Trainer.TrainerContext(folder, info, setup.layout(),
                    setup.adaptedLayers(), frozenValues,
                    accumulation.withFeatureCache(folder.featureCache(), denoisingLoss::encoderFeatures),
                    setup.computeDevice());
            Trainer trainer = new Trainer(context, new Trainer.Collaborators(loss,
                    setup.engine().orthogonalization(computeMode.computeDtype()), events, previews, validation),
                    computeMode.recordedIn(start.state()));
            if (computeMode.reason().isPresent()) trainer.saveInitialState();
            Trainer.TrainingResult result = trainer.run(controlPoint);
            return switch (result.stopReason()) {
                case STOPPED ->
                        new TrainingService.TrainingOutcome.Stopped(result.state().step(), info.config().steps());
                case ALL_STEPS, EARLY_STOPPING ->
                        new TrainingService.TrainingOutcome.Finished(finish(trainer, result, events));
            };
        }
    }

    private DenoisingLoss denoisingLoss(ComputeMode computeMode, Map<String, Tensor> frozenValues) {
        return setup.engine().denoisingLoss(computeMode.lossOptions(setup.layout(), frozenValues));
    }

    private MethodLoss methodLoss(DenoisingLoss loss) {
        return new MethodLoss(loss, setup.layout().method(), info.config().seed());
    }

    /// The loss of a method, which may change other parameters in each step.
    private record MethodLoss(DenoisingLoss loss, TuningMethod method, long seed) implements Trainer.LossFunction {
        @Override
        public DenoisingLoss.Gradient gradient(float[] parameters, TrainingBatch batch) throws Failure {
            return loss.gradient(parameters, batch, method);
        }

        @Override
        public Trainer.LossFunction atStep(int step) {
            return new MethodLoss(loss, method.atStep(seed, step), seed);
        }
    }

    /// The encoded data; empty when stopped. The encoders are released.
    private Optional<TrainingDatasets> datasets(int step, PreviewGenerator previews, EventSink events,
            ControlPoint controlPoint) throws Failure {
        boolean needsPreviews = info.config().previewEvery() > 0
                || setup.config().has(TrainingConfig.Feature.VALIDATE)
                        && info.subject().photos().size() < Validation.MIN_PHOTOS;
        if (needsPreviews && !setup.trainsTextEncoder()) previews.encodePrompts();
        ClassImages classImages = new ClassImages(setup.environment(), folder, info, model, previews.pipeline());
        Optional<TrainingDatasets> encoded = new TrainingDatasets.DatasetBuilder(folder, info, setup.datasetEncoder(),
                classImages).build(controlPoint, events, step);
        if (encoded.isPresent()) setup.releaseEncoders();
        return encoded;
    }

    private List<String> runWarnings(ComputeMode computeMode) throws Failure {
        List<String> warnings = new ArrayList<>();
        MemoryEstimate estimate = MemoryEstimate.PredictedMemory.of(info, model, setup.layout(), computeMode);
        MemoryEstimate.DeviceMemory deviceMemory = new MemoryEstimate.DeviceMemory(setup.environment().device());
        if (deviceMemory.isTooSmallFor(estimate))
            warnings.add(memoryWarning(deviceMemory.needed(estimate), deviceMemory.limit()));
        int cachedSamples = setup.config().data().cachedNoiseSamples();
        if (cachedSamples > 0)
            warnings.add(String.format(Locale.ROOT,
                    "the cache of %d noise samples needs %.2g GB in %s until the end of the run", cachedSamples,
                    UNetFeatureCache.bytes(model, cachedSamples, info.config().resolution()) / 1e9,
                    folder.featureCache()));
        computeMode.reason().ifPresent(warnings::add);
        return warnings;
    }

    private static String memoryWarning(long needed, long limit) {
        return String.format(Locale.ROOT,
                "this run needs about %.1f GB and at most %.1f GB are available: it may run out of memory; "
                        + "%s, a smaller %s or %s, or fewer %s need less",
                needed / 1e9, limit / 1e9, TrainingSetting.GRADIENT_CHECKPOINTING.quotedTitle(),
                TrainingSetting.RESOLUTION.quotedTitle(), TrainingSetting.BATCH_SIZE.quotedTitle(),
                MethodSetting.LAYERS.quotedTitle());
    }

    /// The validation of the config, as far as photos and model allow it.
    private Optional<Validation> validation(TrainingDatasets datasets, DenoisingLoss denoisingLoss,
            PreviewGenerator previews, EventSink events) throws Failure {
        if (!setup.config().has(TrainingConfig.Feature.VALIDATE)) return Optional.empty();
        if (datasets.heldOut().isPresent())
            return Optional.of(new Validation.HeldOut(datasets.heldOut().get(), denoisingLoss::loss));
        Optional<Validation.ImageScore> score = Validation.ClipImageScore.of(model, setup.engine().networks(),
                PreparedPhotos.readRun(folder, info.subject().photos()), previews.prompt(info.subject().className()));
        if (score.isEmpty()) {
            events.emit(new TrainingEvent.Note(folder.checkpointStep(),
                    "no validation: it needs " + Validation.MIN_PHOTOS
                            + " or more photos, to hold one out (this run has "
                            + info.subject().photos().size() + "), or a model with CLIP's image and text encoders"));
        }
        return score.map(Validation.PreviewScored::new);
    }

    private static TrainingEvent deviceChangeNotice(TrainingState.SavedState saved,
            TrainingState.ComputeDevice current) {
        return new TrainingEvent.Note(saved.state().step(), "resumed on " + current.device() + " with "
                + current.threads() + " thread(s) after " + saved.computeDevice().device() + " with "
                + saved.computeDevice().threads() + ": the result may differ in the last bits");
    }

    /// Writes the adapter, the best by validation if there is one, and the report.
    private TrainingReport finish(Trainer trainer, Trainer.TrainingResult result, EventSink events) throws Failure {
        TrainingState state = result.state();
        boolean usesBest = trainer.bestStep() > 0 && Files.isRegularFile(folder.bestAdapter());
        AdapterFile adapter = usesBest ? AdapterFile.read(folder.bestAdapter()) : trainer.adapter(state);
        if (result.stopReason() == Trainer.StopReason.EARLY_STOPPING)
            events.emit(new TrainingEvent.Note(state.step(), "stopped early after step " + state.step()
                    + ": no improvement since step " + trainer.bestStep()));
        if (usesBest && trainer.bestStep() < state.step())
            events.emit(new TrainingEvent.Note(state.step(),
                    "the adapter is that of step " + trainer.bestStep() + ", the best by validation"));
        adapter.write(folder.adapter());
        long bytes;
        try {
            bytes = Files.size(folder.adapter());
        } catch (IOException e) {
            throw new Failure.Unreadable(folder.adapter() + ": cannot be read back: " + e.getMessage(), e);
        }
        TrainingReport.AdapterFileInfo adapterFile = new TrainingReport.AdapterFileInfo(bytes,
                Optional.of(Sha256.of(folder.adapter())));
        OptionalDouble loss = Double.isFinite(state.meanLoss()) ? OptionalDouble.of(state.meanLoss())
                : OptionalDouble.empty();
        TrainingReport report = new TrainingReport(info.parameterCount(), adapterFile, state.seconds(), state.step(),
                loss, setup.parameterShare(), ProcessMemory.peakResident(),
                usesBest ? OptionalInt.of(trainer.bestStep()) : OptionalInt.empty());
        report.write(folder.reportFile());
        UNetFeatureCache.remove(folder.featureCache());
        events.emit(new TrainingEvent.Done(state.step(), state.meanLoss(), report.parameterCount(), bytes,
                state.seconds()));
        return report;
    }

    /// Logs the failure, if the log can still be written.
    private void recordFailure(EventSink events, Exception cause) {
        try {
            events.emit(new TrainingEvent.Failed(folder.checkpointStep(), String.valueOf(cause.getMessage())));
        } catch (Failure e) {
            cause.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        setup.close();
    }
}
