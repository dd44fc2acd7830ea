package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The description of a run: `run.json`, written once before the first step.
/// @param parameterCount trainable parameters
/// @param created ISO time
/// @param continued the adapter whose training it goes on with
public record RunInfo(BaseModelInfo baseModel, SubjectInfo subject, MethodSettings method, ResolvedConfig config,
        long parameterCount, String created, Optional<ContinuedAdapter> continued) {
    /// A run that starts from the method's initialization.
    public RunInfo(BaseModelInfo baseModel, SubjectInfo subject, MethodSettings method, ResolvedConfig config,
            long parameterCount, String created) {
        this(baseModel, subject, method, config, parameterCount, created, Optional.empty());
    }

    /// @param fileName the user's, without folder
    /// @param sha256   of the user's file
    public record ContinuedAdapter(String fileName, String sha256) {}

    /// The base model.
    /// @param hash    of the weights that are trained on, as in `BaseModelHashes`
    /// @param options the user's, without tokenizer folders, which differ between machines
    /// @param merged  an adapter that is merged into it for the training
    public record BaseModelInfo(Path path, String name, String hash, ModelLoadOptions options,
            Optional<BaseModel.MergedAdapter> merged) {
        public BaseModelInfo {
            options = options.withTokenizerFolders(List.of());
        }

        public BaseModelInfo(Path path, String name, String hash) {
            this(path, name, hash, ModelLoadOptions.defaults(), Optional.empty());
        }

        /// The base of the run's adapter.
        public BaseModel toBaseModel() {
            return new BaseModel(name, hash, merged);
        }

        /// A reference with the tokenizer folders of this machine.
        public ModelReference model(List<Path> tokenizerFolders) {
            return new ModelReference(path, options.withTokenizerFolders(tokenizerFolders));
        }
    }

    /// The photos, the words for their subject, and the captions of photos without their own.
    public record SubjectInfo(String className, String token, List<PhotoInfo> photos, List<String> defaultCaptions) {
        /// The subject in a prompt: trigger word and class.
        public String phrase() {
            return token + " " + className;
        }
    }

    /// A prepared photo in the run's folder `pictures`.
    /// @param sha256     of its pixels
    /// @param maskSha256 of the pixels of its mask in the folder `masks`; empty without a mask
    /// @param captions   its own; empty: the default captions
    /// @param repeats    how often it is sampled per epoch, relative to the others
    public record PhotoInfo(String fileName, String sha256, String maskSha256, List<String> captions, int repeats) {
        public PhotoInfo {
            captions = List.copyOf(captions);
        }

        public PhotoInfo(String fileName, String sha256, String maskSha256, List<String> captions) {
            this(fileName, sha256, maskSha256, captions, 1);
        }
    }

    /// The requested config and the values that it leaves open.
    /// @param resolution  side of a square photo in pixels
    /// @param classImages prepared class images in the run's folder `prior`; empty if the base model generates them
    public record ResolvedConfig(TrainingConfig requested, int batchSize, int resolution, List<PhotoInfo> classImages) {
        /// Largest batch size that is chosen where the config leaves it open.
        public static final int MAX_DEFAULT_BATCH_SIZE = 6;

        public ResolvedConfig(TrainingConfig requested, int batchSize, int resolution) {
            this(requested, batchSize, resolution, List.of());
        }

        public int steps() {
            return requested.schedule().steps();
        }

        public double learningRate() {
            return requested.schedule().learningRate();
        }

        public long seed() {
            return requested.schedule().seed();
        }

        public int previewEvery() {
            return requested.runtime().previewEvery();
        }

        ResolvedConfig resumedWith(ResolvedConfig request) {
            return new ResolvedConfig(requested.resumedWith(request.requested), batchSize, resolution, classImages);
        }
    }

    /// @throws Failure.Unreadable that names the key with an invalid value
    /// @throws Failure.Incompatible for the format of another version
    public static RunInfo read(Path file) throws Failure {
        return RunInfoJson.read(file);
    }

    public void write(Path file) throws Failure {
        RunInfoJson.write(this, file);
    }

    /// This run, continued as requested: with the requested number of steps and path of the model.
    /// @throws Failure.Incompatible that lists all other settings that differ
    public RunInfo extendedTo(RunInfo request, Path folder) throws Failure {
        RunComparison.requireContinues(this, request, folder);
        return new RunInfo(
                new BaseModelInfo(request.baseModel.path, baseModel.name, baseModel.hash, request.baseModel.options,
                        baseModel.merged),
                subject, method, config.resumedWith(request.config), parameterCount, created, continued);
    }
}
