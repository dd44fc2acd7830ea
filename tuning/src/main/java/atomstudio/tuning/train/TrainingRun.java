package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.config.LearningRateAdvice;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.data.DatasetEncoder;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.method.ParameterLayout;
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
import atomstudio.tuning.torch.TorchEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// One run's engine and everything around the training loop: encoding before it, adapter and report after it.
final class TrainingRun implements AutoCloseable {
    private final RunFolder folder;
    private final RunInfo info;
    private final DiffusionModel model;
    private final TrainingEnvironment environment;
    private final TorchEngine engine;

    private TrainingRun(RunFolder folder, RunInfo info, DiffusionModel model, TrainingEnvironment environment)
            throws Failure {
        this.folder = folder;
        this.info = info;
        this.model = model;
        this.environment = environment;
        this.engine = TorchEngine.open(model, environment.device(), environment.torchSettings());
    }

    static TrainingRun open(RunFolder folder, RunInfo info, DiffusionModel model, TrainingEnvironment environment)
            throws Failure {
        return new TrainingRun(folder, info, model, environment);
    }

    TrainingService.TrainingOutcome train(TrainingService.RunCallbacks callbacks) throws Failure {
        List<Layer> layers = TrainingService.tunableLayers(model);
        ParameterLayout layout = ParameterLayout.of(info.method().method(), layers);
        TrainingState.ComputeDevice device = computeDevice();
        TrainingState.SavedState start = savedState(layout, device);
        int step = start.state().step();
        try (EventLog log = EventLog.resume(folder.eventLog(), step, start.state().evaluatedStep())) {
            EventSink events = EventSink.of(log, callbacks.listener());
            events.emit(new TrainingEvent.Start(step, info.config().steps(), device.device(), device.threads()));
            for (String line : callbacks.warnings()) events.emit(new TrainingEvent.Note(step, line));
            if (!start.place().equals(device)) events.emit(deviceChangeNotice(start, device));
            try {
                return train(new RunInputs(layout, layers, start), events,
                        new ControlPoint(callbacks.control(), events));
            } catch (Failure | RuntimeException e) {
                recordFailure(events, e);
                throw e;
            }
        }
    }

    private TrainingState.ComputeDevice computeDevice() {
        return new TrainingState.ComputeDevice(environment.device().name().toLowerCase(Locale.ROOT), engine.threads());
    }

    /// What is trained, and from where.
    private record RunInputs(ParameterLayout layout, List<Layer> layers, TrainingState.SavedState savedState) {}

    private TrainingService.TrainingOutcome train(RunInputs inputs, EventSink events, ControlPoint controlPoint)
            throws Failure {
        TrainingState start = inputs.savedState.state();
        PreviewGenerator previews = new PreviewGenerator(folder, model, DiffusionPipeline.of(model, engine),
                info.subject());
        Optional<TrainingDatasets> encoded = datasets(inputs, previews, events, controlPoint);
        if (encoded.isEmpty()) {
            events.emit(new TrainingEvent.Cancelled(start.step()));
            return new TrainingService.TrainingOutcome.Stopped(start.step(), info.config().steps());
        }
        TrainingDatasets datasets = encoded.get();
        GradientAccumulation accumulation = new GradientAccumulation(datasets.photos(), datasets.classImages(),
                info.config().seed());
        Map<String, Tensor> frozenValues = inputs.savedState.frozenValues();
        engine.derive(inputs.layout, frozenValues);
        ComputeMode computeMode = ComputeMode.of(info.config().requested(), model, environment.device(),
                new ComputeMode.PrecisionTrial(engine, inputs.layout, frozenValues, accumulation, start));
        for (String line : runWarnings(inputs, computeMode)) events.emit(new TrainingEvent.Note(start.step(), line));
        try (DenoisingLoss lossFunction = engine.denoisingLoss(computeMode.lossOptions(inputs.layout, frozenValues));
                DenoisingLoss fp32Loss = engine
                        .denoisingLoss(computeMode.withFp32().lossOptions(inputs.layout, frozenValues))) {
            Trainer.LossFunction loss = computeMode.computeDtype() == ComputeDtype.FP32 ? lossFunction::gradient
                    : new ComputeMode.Fp32Fallback(lossFunction::gradient, fp32Loss::gradient, events);
            Optional<Validation> validation = validation(datasets, lossFunction, previews, events);
            Trainer.TrainerContext context = new Trainer.TrainerContext(folder, info, inputs.layout,
                    AdaptedLayer.of(inputs.layout.method(), inputs.layers), inputs.savedState.frozenValues(),
                    accumulation.withFeatureCache(folder.featureCache(), lossFunction::encoderFeatures),
                    computeDevice());
            Trainer trainer = new Trainer(context,
                    new Trainer.Collaborators(loss, engine.orthogonalization(), events, previews, validation),
                    computeMode.recordedIn(start));
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

    /// What is trained on, encoded; what encoded it is released where no step needs it. Empty when told to stop.
    private Optional<TrainingDatasets> datasets(RunInputs inputs, PreviewGenerator previews, EventSink events,
            ControlPoint controlPoint) throws Failure {
        boolean trainsTextEncoder = SubjectTokenizer.components(inputs.layout).contains(ModelComponent.TEXT_ENCODER);
        boolean needsPreviews = info.config().previewEvery() > 0
                || info.config().requested().has(TrainingConfig.Feature.VALIDATE)
                        && info.subject().photos().size() < Validation.MIN_PHOTOS;
        if (needsPreviews && !trainsTextEncoder) previews.encodePrompts();
        DatasetEncoder encoder = new DatasetEncoder(engine, model, subjectTokenizer(inputs.layout).tokenizer(),
                trainsTextEncoder ? DatasetEncoder.CaptionEncoding.ENCODE_EACH_STEP
                        : DatasetEncoder.CaptionEncoding.PRECOMPUTED);
        ClassImages classImages = new ClassImages(environment, folder, info, model, previews.textToImage());
        Optional<TrainingDatasets> encoded = new TrainingDatasets.DatasetBuilder(folder, info, encoder, classImages)
                .build(controlPoint, events, inputs.savedState.state().step());
        if (encoded.isPresent()) {
            if (!trainsTextEncoder) engine.release(TorchEngine.Network.TEXT);
            engine.release(TorchEngine.Network.ENCODER);
        }
        return encoded;
    }

    /// What a person should know of how the run computes.
    private List<String> runWarnings(RunInputs inputs, ComputeMode computeMode) throws Failure {
        List<String> warnings = new ArrayList<>();
        long neededBytes = MemoryEstimate.PredictedMemory.of(info, model, inputs.layout, computeMode).bytes();
        MemoryEstimate.DeviceMemory deviceMemory = new MemoryEstimate.DeviceMemory(environment.device());
        if (deviceMemory.isTooSmallFor(neededBytes)) warnings.add(memoryWarning(neededBytes, deviceMemory.limit()));
        int noiseBank = info.config().requested().data().noiseBank();
        if (noiseBank > 0)
            warnings.add(String.format(Locale.ROOT,
                    "the bank of %d noisy pictures takes %.2g GB in %s until the run is done", noiseBank,
                    UNetFeatureCache.bytes(model, noiseBank, info.config().sideLength()) / 1e9, folder.featureCache()));
        computeMode.reason().ifPresent(warnings::add);
        LearningRateAdvice.of(info.method(), info.config().requested(), TrainingService.parameterCount(model))
                .ifPresent(warnings::add);
        return warnings;
    }

    private static String memoryWarning(long needed, long limit) {
        return String.format(Locale.ROOT,
                "this run needs about %.1f GB and at most %.1f GB can be had: it may end for want of memory; `tune --dry-run` with the same options says what would make it fit",
                needed / 1e9, limit / 1e9);
    }

    /// What the numbers are validated by, where that is asked for and can be done.
    private Optional<Validation> validation(TrainingDatasets datasets, DenoisingLoss differentiation,
            PreviewGenerator previews, EventSink events) throws Failure {
        if (!info.config().requested().has(TrainingConfig.Feature.VALIDATE)) return Optional.empty();
        if (datasets.heldOut().isPresent())
            return Optional.of(new Validation.HeldOut(datasets.heldOut().get(), differentiation::loss));
        Optional<Validation.ImageScore> score = Validation.ClipImageScore.of(model, engine,
                PreparedPhotos.readRun(folder, info.subject().photos()), previews.prompt(info.subject().className()));
        if (score.isEmpty()) {
            events.emit(new TrainingEvent.Note(folder.checkpointStep(),
                    "nothing is validated: that takes " + Validation.MIN_PHOTOS
                            + " or more pictures, of which one is held out (here are " + info.subject().photos().size()
                            + "), or a model that brings CLIP's encoders of pictures and texts"));
        }
        return score.map(Validation.PreviewScored::new);
    }

    /// The checkpoint, or the method's start.
    private TrainingState.SavedState savedState(ParameterLayout layout, TrainingState.ComputeDevice device)
            throws Failure {
        if (Files.isRegularFile(folder.checkpoint())) return TrainingState.read(folder.checkpoint(), layout, info);
        ParameterLayout.Initialization initialization = new ParameterLayout.Initialization(engine::tensor,
                info.config().seed(), subjectTokenizer(layout).classTokens());
        Map<String, Tensor> frozenValues = layout.frozenValues(initialization);
        return new TrainingState.SavedState(TrainingState.initial(layout.initialVector(initialization)), frozenValues,
                device);
    }

    private SubjectTokenizer subjectTokenizer(ParameterLayout layout) throws Failure {
        return SubjectTokenizer.of(model, layout, new Trigger(info.subject().token(), info.subject().className()));
    }

    private static TrainingEvent deviceChangeNotice(TrainingState.SavedState start,
            TrainingState.ComputeDevice device) {
        return new TrainingEvent.Note(start.state().step(), "went on with " + device.device() + " and "
                + device.threads() + " thread(s) after " + start.place().device() + " and "
                + start.place().threads() + ": the result may differ in its last bits from a run without this change");
    }

    /// The adapter is the best by validation, where there was one.
    private TrainingReport finish(Trainer trainer, Trainer.TrainingResult result, EventSink events) throws Failure {
        TrainingState state = result.state();
        boolean usesBest = trainer.bestStep() > 0 && Files.isRegularFile(folder.bestAdapter());
        AdapterFile adapter = usesBest ? AdapterFile.read(folder.bestAdapter()) : trainer.adapter(state);
        if (result.stopReason() == Trainer.StopReason.EARLY_STOPPING)
            events.emit(new TrainingEvent.Note(state.step(),
                    "ended early after step " + state.step() + ": nothing was better than step " + trainer.bestStep()));
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
        double share = (double) info.parameterCount() / TrainingService.parameterCount(model);
        TrainingReport.AdapterFileInfo adapterFile = new TrainingReport.AdapterFileInfo(bytes,
                Optional.of(Sha256.of(folder.adapter())));
        OptionalDouble loss = Double.isFinite(state.meanLoss()) ? OptionalDouble.of(state.meanLoss())
                : OptionalDouble.empty();
        TrainingReport report = new TrainingReport(info.parameterCount(), adapterFile, state.seconds(), state.step(),
                loss, share, ProcessMemory.peakResident(),
                usesBest ? OptionalInt.of(trainer.bestStep()) : OptionalInt.empty());
        report.write(folder.reportFile());
        UNetFeatureCache.remove(folder.featureCache());
        events.emit(new TrainingEvent.Done(state.step(), state.meanLoss(), report.parameterCount(), bytes,
                state.seconds()));
        return report;
    }

    /// Writes down why, where that is still possible.
    private void recordFailure(EventSink events, Exception cause) {
        try {
            events.emit(new TrainingEvent.Failed(folder.checkpointStep(), String.valueOf(cause.getMessage())));
        } catch (Failure e) {
            cause.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
