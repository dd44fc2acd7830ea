package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Trains a classifier on class folders: starts a run in a new folder, or resumes one.
public record ClassifierTraining(TrainingEnvironment environment) {
    /// Images per batch unless given.
    public static final int DEFAULT_BATCH_SIZE = 32;

    /// Those that do not depend on a UNet's layers. LoRA covers convolutions too, as LoCon does.
    private static final List<MethodName> METHODS = List.of(MethodName.ATOMS, MethodName.OVERCOMPLETE,
            MethodName.CHANNELS, MethodName.ATOMS_AND_CHANNELS, MethodName.OVERCOMPLETE_AND_CHANNELS, MethodName.LORA,
            MethodName.LOHA, MethodName.LOKR, MethodName.OFT, MethodName.DORA, MethodName.GLORA, MethodName.SSF,
            MethodName.BITFIT, MethodName.NORM, MethodName.FULL);
    private static final Set<String> INITIAL_FILES = Set.of("lock", "owner");

    /// @param model            a weight file or its folder
    /// @param data             the class folders
    /// @param config           with a batch size
    /// @param headLearningRate of the head, which every method trains
    /// @param imageSize        in pixels; 0: the model's
    public record Request(Path model, Path data, ClassFolders.Split split, MethodSettings method,
            TrainingConfig config, double headLearningRate, int imageSize) {
        public Request {
            if (!METHODS.contains(method.choice()))
                throw new IllegalArgumentException("method: expected one of " + options() + ", found " + method.name());
            if (!(headLearningRate > 0 && Double.isFinite(headLearningRate)))
                throw new IllegalArgumentException(
                        "head-learning-rate: expected a number above 0, found " + headLearningRate);
            if (imageSize < 0)
                throw new IllegalArgumentException("image-size: expected at least 1, found " + imageSize);
        }
    }

    /// How a run ended without failure.
    public sealed interface Outcome {
        record Finished(ClassifierReport report) implements Outcome {}

        /// Stopped by the user after this many steps; can be resumed.
        record Stopped(int step, int steps) implements Outcome {}
    }

    /// The methods for classifiers.
    public static List<MethodName> methods() {
        return METHODS;
    }

    /// Their names, for messages and help.
    public static String options() {
        return METHODS.stream().map(MethodName::option).collect(Collectors.joining(", "));
    }

    /// Starts the run, or resumes it; a finished run returns its report again.
    /// @throws Failure.Conflict when the run is active in another process, or the folder holds something else
    /// @throws Failure.Incompatible that lists the settings which differ from those of the run in the folder; more
    ///     steps are allowed
    public Outcome run(Request request, Path run, RunControl control, EventSink listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        folder.requireUsable(INITIAL_FILES);
        ClassifierModel model = ClassifierModel.open(request.model);
        if (request.imageSize > 0) model = model.withImageSize(request.imageSize);
        ClassFolders data = ClassFolders.read(request.data.toAbsolutePath().normalize(), request.split);
        request.method.check(model.path().toString(), model.backbone());
        List<Layer> tuned = model.backbone().stream().filter(request.method.method()::tunes).toList();
        request.config.optimizer().groups().requireMatches(model.path().toString(), tuned);
        ClassifierRunInfo info = new ClassifierRunInfo(
                new ClassifierRunInfo.Model(model.path().toAbsolutePath().normalize(), model.name(), hash(model)),
                new ClassifierRunInfo.Data(data.folder(), request.split, data.classes(), data.hash()),
                request.method, request.config, request.headLearningRate, model.imageSize());
        try (RunLock lock = RunLock.acquire(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            if (folder.exists()) {
                ClassifierRunInfo earlier = ClassifierRunInfo.read(folder.infoFile());
                earlier.requireContinues(info, folder.folder());
                boolean hasMoreSteps = info.config().schedule().steps() > earlier.config().schedule().steps();
                if (!hasMoreSteps && Files.isRegularFile(folder.reportFile()) && Files.isRegularFile(folder.adapter()))
                    return new Outcome.Finished(ClassifierReport.read(folder.reportFile()));
                delete(folder.reportFile());
            }
            info.write(folder.infoFile());
            try (ClassifierRun training = ClassifierRun.open(folder, info, model, environment)) {
                return training.train(data, control, listener);
            }
        }
    }

    private static void delete(Path report) throws Failure {
        try {
            Files.deleteIfExists(report);
        } catch (IOException e) {
            throw new Failure.Unwritable(report + ": cannot be replaced: " + e.getMessage(), e);
        }
    }

    private static String hash(ClassifierModel model) throws Failure {
        try (Checkpoint checkpoint = model.openBackbone()) {
            return checkpoint.sha256();
        }
    }
}
