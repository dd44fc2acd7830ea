package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.config.StartingAdapters;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.data.PreparedData;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.SparseAtoms;
import atomstudio.tuning.method.Vera;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.run.TrainingReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Trains a method on the user's photos: starts a run in a new folder, or resumes one.
public final class TrainingService {
    /// Latent pixels of a default batch: six photos for the small model, one for a large one.
    private static final long DEFAULT_BATCH_LATENT_PIXELS = 6 * 16 * 16;

    /// Files that a run may leave when it is killed before `run.json` is written.
    private static final Set<String> INITIAL_FILES = Set.of("lock", "owner", "pictures", "masks", "prior",
            "from.safetensors", "on");

    private final TrainingEnvironment environment;

    public TrainingService(TrainingEnvironment environment) {
        this.environment = environment;
    }

    /// Starts the run, or resumes it; a finished run returns its report again.
    /// @throws Failure.Conflict when the run is active in another process, or the folder holds something else
    /// @throws Failure.Incompatible that lists the settings which differ from those of the run in the folder; more
    ///     steps are allowed
    /// @throws Failure.Diverged when loss or gradient is not finite; the last good checkpoint is kept
    public TrainingOutcome run(TrainingRequest request, Path run, RunControl control, EventSink listener)
            throws Failure {
        RunFolder folder = new RunFolder(run);
        folder.requireUsable(INITIAL_FILES);
        DiffusionModel model = request.model().open();
        PreparedData data = PreparedData.of(request, model);
        RunInfo requested = createInfo(request, model, data);
        List<String> warnings = new ArrayList<>(model.warnings());
        warnings.addAll(data.warnings());
        warnings.addAll(startWarnings(request.start(), model, requested));
        RunCallbacks callbacks = new RunCallbacks(control, listener, List.copyOf(warnings));
        try (RunLock lock = RunLock.acquire(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            if (folder.exists()) {
                RunInfo info = folder.info().extendedTo(requested, folder.folder());
                requireUsableRun(folder, folder.info(), model);
                return continueRun(folder, info, model, callbacks);
            }
            data.write(folder);
            request.start().write(folder.continuedAdapter(), folder.mergedAdapter());
            requested.write(folder.infoFile());
            return train(folder, requested, model, callbacks);
        }
    }

    /// Resumes a run with its own settings.
    public TrainingOutcome resume(Path run, RunControl control, EventSink listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        DiffusionModel model = info.baseModel().model(environment.tokenizerFolders()).open();
        info.method().check(model.path().toString(), model.trainableLayers());
        String hash = weightsHash(model, ParameterLayout.of(info.method().method(), model.trainableLayers()));
        if (!hash.equals(info.baseModel().hash()))
            throw new Failure.Incompatible(model.path() + ": expected the model that " + folder.folder()
                    + " was started with (" + info.baseModel().hash() + "), found other weights (" + hash
                    + "); put it back, or start a new run");
        requireUsableRun(folder, info, model);
        try (RunLock lock = RunLock.acquire(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            return continueRun(folder, info, model, new RunCallbacks(control, listener, List.of()));
        }
    }

    /// Checks all files of a run before any of them is changed.
    private static void requireUsableRun(RunFolder folder, RunInfo info, DiffusionModel model) throws Failure {
        int size = info.config().resolution();
        Optional<String> problem = model.sizeProblem(size, size);
        if (problem.isPresent()) throw new Failure.Unreadable(folder.infoFile() + ": resolution: " + problem.get());
        PreparedPhotos.readRun(folder, info.subject().photos()).requireSizes(info.config(), folder.photos());
        PreparedPhotos.readClassImages(folder, info.config().classImages())
                .requireSizes(info.config(), folder.classImages());
        folder.requireConsistent(info);
        folder.startingAdapters(info);
    }

    private static List<String> startWarnings(StartingAdapters start, DiffusionModel model, RunInfo info)
            throws Failure {
        List<String> warnings = new ArrayList<>(start.warnings());
        if (start.continued().isPresent())
            start.continued().get().warning(model, info.baseModel().toBaseModel()).ifPresent(warnings::add);
        return warnings;
    }

    /// Estimates time and memory by encoding a photo and training a few steps; writes nothing.
    public TrainingEstimate estimate(TrainingRequest request) throws Failure {
        DiffusionModel model = request.model().open();
        PreparedData data = PreparedData.of(request, model);
        return new TrainingEstimator(createInfo(request, model, data), model, request.start(), environment)
                .measure(data);
    }

    /// @param warnings emitted at the start of the run
    record RunCallbacks(RunControl control, EventSink listener, List<String> warnings) {}

    private TrainingOutcome continueRun(RunFolder folder, RunInfo info, DiffusionModel model, RunCallbacks callbacks)
            throws Failure {
        boolean hasMoreSteps = info.config().steps() > folder.info().config().steps();
        if (!hasMoreSteps && Files.isRegularFile(folder.reportFile()) && Files.isRegularFile(folder.adapter()))
            return new TrainingOutcome.Finished(TrainingReport.read(folder.reportFile()));
        if (hasMoreSteps) {
            try {
                Files.deleteIfExists(folder.reportFile());
            } catch (IOException e) {
                throw new Failure.Unwritable(folder.reportFile() + ": cannot be replaced: " + e.getMessage(), e);
            }
            info.write(folder.infoFile());
        }
        return train(folder, info, model, callbacks);
    }

    private TrainingOutcome train(RunFolder folder, RunInfo info, DiffusionModel model, RunCallbacks callbacks)
            throws Failure {
        try (TrainingRun trainingRun = TrainingRun.open(folder, info, model, environment)) {
            return trainingRun.train(callbacks);
        }
    }

    private RunInfo createInfo(TrainingRequest request, DiffusionModel model, PreparedData data) throws Failure {
        if (model.unet().channels().in() != model.vae().latentChannels()) {
            throw new Failure.Incompatible(
                    model.path() + ": its UNet has " + model.unet().channels().in() + " input channels; only models of "
                            + model.vae().latentChannels() + " (no inpainting models) can be trained");
        }
        List<Layer> layers = model.trainableLayers();
        request.method().check(model.path().toString(), layers);
        request.config()
                .optimizer()
                .groups()
                .requireMatches(model.path().toString(),
                        layers.stream().filter(request.method().method()::tunes).toList());
        ParameterLayout layout = ParameterLayout.of(request.method().method(), layers);
        UNetFeatureCache.requireFrozenEncoder(request.config(), layout);
        requireUsableStart(request, model, layout);
        long parameterCount = request.method().method().parameterCount(layers);
        SubjectTokenizer.of(model, layout, request.trigger());
        String hash = weightsHash(model, layout);
        RunInfo.BaseModelInfo baseModel = new RunInfo.BaseModelInfo(model.path().toAbsolutePath().normalize(),
                model.name(), hash, request.model().options(),
                request.start().merged().isPresent() ? Optional.of(request.start().merged().get().info())
                        : Optional.empty());
        TrainingConfig config = request.config();
        RunInfo.SubjectInfo subject = new RunInfo.SubjectInfo(request.trigger().className(), request.trigger().token(),
                data.photos().infos(), Captions.of(request.trigger(), config).defaults());
        RunInfo.ResolvedConfig resolved = new RunInfo.ResolvedConfig(config,
                config.optimizer().batchSize() == TrainingConfig.UNSET ? defaultBatchSize(model)
                        : config.optimizer().batchSize(),
                data.cropPolicy().resolution(), data.classImages().infos());
        return new RunInfo(baseModel, subject, request.method(), resolved, parameterCount,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), request.start()
                        .continued()
                        .map(each -> new RunInfo.ContinuedAdapter(each.fileName(), each.sha256())));
    }

    /// @throws Failure.Incompatible if the adapters that the training starts from do not fit it
    private static void requireUsableStart(TrainingRequest request, DiffusionModel model, ParameterLayout layout)
            throws Failure {
        if (request.start().continued().isPresent()) {
            StartingAdapters.Continued continued = request.start().continued().get();
            MethodSettings method = continued.adapter().method();
            if (!method.equals(request.method()))
                throw new Failure.Incompatible(continued.fileName() + ": expected an adapter of method "
                        + request.method().name() + " " + request.method().entries() + ", found " + method.name() + " "
                        + method.entries() + "; its training goes on only with its own settings");
            continued.adapter().requireFits(model);
        } else Vera.requireSeed(request.method());
        if (request.start().merged().isEmpty()) return;
        request.start().merged().get().adapters(model);
        if (layout.derived()
                .stream()
                .anyMatch(entry -> layout.method().methodFor(entry.layer()) instanceof SparseAtoms))
            throw new Failure.Incompatible("sparse codes are computed from the base model's weights and cannot be "
                    + "trained on top of " + request.start().merged().get().file() + "; choose linear coding");
    }

    /// Hash of the components that the layout trains.
    private String weightsHash(DiffusionModel model, ParameterLayout layout) throws Failure {
        return environment.baseModelHashes().hash(model, SubjectTokenizer.components(layout));
    }

    private static int defaultBatchSize(DiffusionModel model) {
        long pixels = (long) model.sampleSize() * model.sampleSize();
        return (int) Math.clamp(DEFAULT_BATCH_LATENT_PIXELS / pixels, 1,
                RunInfo.ResolvedConfig.MAX_DEFAULT_BATCH_SIZE);
    }

    /// How a run ended without failure.
    public sealed interface TrainingOutcome {
        /// The adapter is written.
        record Finished(TrainingReport report) implements TrainingOutcome {}

        /// Stopped by the user after this many steps; can be resumed.
        record Stopped(int step, int steps) implements TrainingOutcome {}
    }
}
