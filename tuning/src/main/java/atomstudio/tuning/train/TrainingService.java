package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.data.PreparedData;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.data.SubjectTokenizer;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.run.TrainingListener;
import atomstudio.tuning.run.TrainingReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Tunes a model on a person's pictures: makes a run folder, or goes on with one.
public final class TrainingService {
    /// Latent pixels that a step of the default batch holds: six pictures of the small model, one of a large one.
    private static final long DEFAULT_BATCH_LATENT_PIXELS = 6 * 16 * 16;
    public static final int MAX_DEFAULT_BATCH = 6;
    /// What a folder may hold that is no run yet: left by a run that was killed while it began.
    private static final Set<String> INITIAL_FILES = Set.of("lock", "owner", "pictures", "masks", "prior");

    private final TrainingEnvironment environment;

    public TrainingService(TrainingEnvironment environment) {
        this.environment = environment;
    }

    /// Makes the run, or resumes it where it stopped; a finished run gives its result again.
    /// @throws Failure.Occupied when the run is going on in another process, or the folder holds something else
    /// @throws Failure.Incompatible when the folder holds a run of other settings, all named; more steps are allowed
    /// @throws Failure.Diverged when loss or gradients leave the numbers; the last good ones are kept
    public TrainingOutcome run(TrainingRequest request, Path run, RunControl control, TrainingListener listener)
            throws Failure {
        RunFolder folder = new RunFolder(run);
        requireUsableFolder(folder);
        DiffusionModel model = request.model().open();
        PreparedData data = PreparedData.of(request, model);
        RunInfo requested = createInfo(request, model, data);
        RunCallbacks callbacks = new RunCallbacks(control, listener,
                Stream.concat(model.warnings().stream(), data.warnings().stream()).toList());
        try (RunLock lock = RunLock.acquire(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            if (folder.exists()) {
                RunInfo info = folder.info().extendedTo(requested, folder.folder());
                requireUsableRun(folder, folder.info(), model);
                return continueRun(folder, info, model, callbacks);
            }
            data.write(folder);
            requested.write(folder.infoFile());
            return train(folder, requested, model, callbacks);
        }
    }

    /// Goes on with a run as its own description says.
    public TrainingOutcome resume(Path run, RunControl control, TrainingListener listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        DiffusionModel model = info.baseModel().model(environment.tokenizerFolders()).open();
        info.method().check(model.path().toString(), tunableLayers(model));
        String hash = weightsHash(model, ParameterLayout.of(info.method().method(), tunableLayers(model)));
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

    /// Everything that is wrong with a run's own files is said before any of them is touched.
    private static void requireUsableRun(RunFolder folder, RunInfo info, DiffusionModel model) throws Failure {
        int size = info.config().sideLength();
        Optional<String> problem = model.sizeProblem(size, size);
        if (problem.isPresent()) throw new Failure.Unreadable(folder.infoFile() + ": size: " + problem.get());
        PreparedPhotos.readRun(folder, info.subject().photos()).requireSizes(info.config(), folder.photos());
        PreparedPhotos.readClassImages(folder, info.config().classImages())
                .requireSizes(info.config(), folder.classImages());
        folder.requireConsistent(info);
    }

    /// What a run of this request would take, by encoding a picture and training a few steps: nothing is written.
    public TrainingEstimate estimate(TrainingRequest request) throws Failure {
        DiffusionModel model = request.model().open();
        PreparedData data = PreparedData.of(request, model);
        return new TrainingEstimator(createInfo(request, model, data), model, environment).measure(data);
    }

    /// Who steers a run, who hears of it, and what a person should know before it begins.
    record RunCallbacks(RunControl control, TrainingListener listener, List<String> warnings) {}

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
                            + model.vae().latentChannels() + " (no inpainting models) can be tuned");
        }
        List<Layer> layers = tunableLayers(model);
        request.method().check(model.path().toString(), layers);
        ParameterLayout layout = ParameterLayout.of(request.method().method(), layers);
        UNetFeatureCache.requireFrozenEncoder(request.config(), layout);
        long parameterCount = request.method().method().parameterCount(layers);
        SubjectTokenizer.of(model, layout, request.trigger());
        String hash = weightsHash(model, layout);
        RunInfo.BaseModelInfo baseModel = new RunInfo.BaseModelInfo(model.path().toAbsolutePath().normalize(),
                model.name(), hash, request.model().options());
        TrainingConfig config = request.config();
        RunInfo.SubjectInfo subject = new RunInfo.SubjectInfo(request.trigger().className(), request.trigger().token(),
                data.photos().infos(), Captions.of(request.trigger(), config).defaults());
        RunInfo.ResolvedConfig resolved = new RunInfo.ResolvedConfig(config,
                config.optimizer().batchSize() == TrainingConfig.UNSET ? defaultBatchSize(model)
                        : config.optimizer().batchSize(),
                data.cropPolicy().sideLength(), data.classImages().infos());
        return new RunInfo(baseModel, subject, request.method(), resolved, parameterCount,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /// Of the weights that the trained numbers belong to.
    private String weightsHash(DiffusionModel model, ParameterLayout layout) throws Failure {
        return environment.baseModelHashes().hash(model, SubjectTokenizer.components(layout));
    }

    private static int defaultBatchSize(DiffusionModel model) {
        long pixels = (long) model.sampleSize() * model.sampleSize();
        return (int) Math.clamp(DEFAULT_BATCH_LATENT_PIXELS / pixels, 1, MAX_DEFAULT_BATCH);
    }

    /// Refuses a folder that a run is going on in, or that holds something else.
    private static void requireUsableFolder(RunFolder folder) throws Failure {
        Path path = folder.folder();
        if (RunLock.isHeld(path)) throw RunLock.occupied(path);
        if (folder.exists() || !Files.exists(path)) return;
        if (!Files.isDirectory(path))
            throw new Failure.Conflict(path + ": expected a folder for the run, found a file; choose another --out");
        try (Stream<Path> list = Files.list(path)) {
            List<String> otherFiles = list.filter(file -> !AtomicFile.isPartFile(file))
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !INITIAL_FILES.contains(name))
                    .sorted()
                    .toList();
            if (!otherFiles.isEmpty())
                throw new Failure.Conflict(path + ": expected an empty folder or a run, found " + otherFiles.getFirst()
                        + (otherFiles.size() > 1 ? " and more" : "") + "; choose another --out");
        } catch (IOException e) {
            throw new Failure.Unreadable(path + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /// Every layer that a run may tune.
    static List<Layer> tunableLayers(DiffusionModel model) {
        return model.trainableLayers();
    }

    /// Numbers of all layers of a model's UNet.
    static long parameterCount(DiffusionModel model) {
        return LayerRecorder.parameterCount(NetworkLayers.of(model.unet()));
    }

    /// How a run ended without failing.
    public sealed interface TrainingOutcome {
        /// All steps are done and the adapter is there.
        record Finished(TrainingReport report) implements TrainingOutcome {}

        /// A person stopped it after this many steps; run it again to go on.
        record Stopped(int step, int steps) implements TrainingOutcome {}
    }
}
