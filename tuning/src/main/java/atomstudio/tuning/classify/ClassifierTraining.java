package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ClassifierModel;
import atomstudio.diffusion.net.Classifier;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TrainedHead;
import atomstudio.tuning.method.Vera;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunLock;
import atomstudio.tuning.torch.ClassifierStepMemory;
import atomstudio.tuning.torch.GpuMemory;
import atomstudio.tuning.torch.ProcessMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Trains a classifier on class folders: starts a run in a new folder, or resumes one.
public record ClassifierTraining(TrainingEnvironment environment) {
    /// Images per batch unless given.
    public static final int DEFAULT_BATCH_SIZE = 32;

    /// Those that do not depend on a UNet's layers. LoRA covers convolutions too, as LoCon does.
    private static final List<MethodName> METHODS = List.of(MethodName.ATOMS, MethodName.OVERCOMPLETE,
            MethodName.CHANNELS, MethodName.ATOMS_AND_CHANNELS, MethodName.OVERCOMPLETE_AND_CHANNELS, MethodName.LORA,
            MethodName.LORA_FA, MethodName.LOHA, MethodName.LOKR, MethodName.VERA, MethodName.OFT, MethodName.BOFT,
            MethodName.DORA, MethodName.GLORA, MethodName.SSF, MethodName.BITFIT, MethodName.NORM,
            MethodName.SERIAL_ADAPTER, MethodName.PARALLEL_ADAPTER, MethodName.FULL);
    /// Java and PyTorch's libraries.
    private static final long PROCESS_BYTES = 400L << 20;
    /// The parameters, their gradient in Java and in PyTorch, and the optimizer's moments.
    private static final int VECTORS_PER_PARAMETER = 8;
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

    /// What a run needs, counted by a dry run of one step.
    /// @param share     the method's parameters over the backbone's
    /// @param memory    in bytes
    /// @param available of the machine or the GPU; 0 if unknown
    public record Estimate(long parameters, long headParameters, double share, long memory, long available) {
        public boolean fits() {
            return available == 0 || memory <= available;
        }
    }

    /// The methods for classifiers.
    public static List<MethodName> methods() {
        return METHODS;
    }

    /// Their names, for messages and help.
    public static String options() {
        return METHODS.stream().map(MethodName::option).collect(Collectors.joining(", "));
    }

    /// The other methods, for the help.
    public static String unsupported() {
        return Stream.of(MethodName.values())
                .filter(method -> !METHODS.contains(method))
                .map(MethodName::option)
                .collect(Collectors.joining(", "));
    }

    /// Parameters and memory of a run, without training.
    public Estimate estimate(Request request) throws Failure {
        ClassifierModel model = model(request);
        ClassFolders data = data(request);
        requireTunes(request, model);
        return estimate(request.method, request.config, model, data);
    }

    private Estimate estimate(MethodSettings method, TrainingConfig config, ClassifierModel model, ClassFolders data) {
        Classifier network = model.network().withClasses(data.classes().size());
        ParameterLayout layout = ParameterLayout.of(new TrainedHead(method.method(), network.head()),
                network.layers());
        long backbone = ParameterLayout.of(method.method(), model.backbone()).size();
        long values = (long) network.imageChannels() * model.imageSize() * model.imageSize();
        long images = Math.min(ImageBatches.MAX_CACHED_VALUES, values * data.training().size());
        long step = new ClassifierStepMemory(network, layout, ClassifierRun.checkpointing(config))
                .bytes(config.optimizer().batchSize(), model.imageSize());
        long floats = Layer.parameterCount(network.layers()) + layout.derivedElementCount()
                + VECTORS_PER_PARAMETER * (long) layout.size() + images;
        boolean onGpu = environment.device().torchDevice().equals(Device.CUDA);
        return new Estimate(backbone, layout.size() - backbone,
                (double) backbone / Layer.parameterCount(model.backbone()), PROCESS_BYTES + Float.BYTES * floats + step,
                onGpu ? GpuMemory.total() : ProcessMemory.limit());
    }

    private static ClassifierModel model(Request request) throws Failure {
        ClassifierModel model = ClassifierModel.open(request.model);
        return request.imageSize > 0 ? model.withImageSize(request.imageSize) : model;
    }

    private static ClassFolders data(Request request) throws Failure {
        return ClassFolders.read(request.data.toAbsolutePath().normalize(), request.split);
    }

    private static void requireTunes(Request request, ClassifierModel model) throws Failure {
        request.method.check(model.path().toString(), model.backbone());
        Vera.requireSeed(request.method);
        List<Layer> tuned = model.backbone().stream().filter(request.method.method()::tunes).toList();
        request.config.optimizer().groups().requireMatches(model.path().toString(), tuned);
    }

    /// Starts the run, or resumes it; a finished run returns its report again.
    /// @throws Failure.Conflict when the run is active in another process, or the folder holds something else
    /// @throws Failure.Incompatible that lists the settings which differ from those of the run in the folder; more
    ///     steps are allowed
    public Outcome run(Request request, Path run, RunControl control, EventSink listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        folder.requireUsable(INITIAL_FILES);
        ClassifierModel model = model(request);
        ClassFolders data = data(request);
        if (!folder.exists()) data.requireReadable();
        requireTunes(request, model);
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
                return training.train(data, estimate(info.method(), info.config(), model, data), control, listener);
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
