package atomstudio.app.models;

import atomstudio.app.desktop.FailureText;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.TensorFileKind;
import atomstudio.diffusion.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Reads summaries of model folders, single-file checkpoints and the built-in model.
public final class ModelFolderReader implements ModelSummary.SummaryReader {
    private static final Pattern CHECKPOINT_NAME = Pattern.compile("(?i).*\\.(?:safetensors|sft|ckpt)");

    private final TokenizerFolders tokenizerFolders;

    /// @param tokenizerFolders searched for the tokenizer of a model without one
    public ModelFolderReader(TokenizerFolders tokenizerFolders) {
        this.tokenizerFolders = tokenizerFolders;
    }

    @Override
    public ModelSummary readBuiltIn() throws Failure {
        return summarize(Assets.find().defaultModel(), ModelSummary.Origin.BUILT_IN);
    }

    @Override
    public ModelSummary read(Path path) throws Failure {
        boolean builtIn = Assets.find().isDefaultModel(path);
        return summarize(path, builtIn ? ModelSummary.Origin.BUILT_IN : ModelSummary.Origin.EXTERNAL);
    }

    /// Whether a dropped file or folder is a model: a folder with model_index.json, or a checkpoint.
    public static boolean isModel(Path path) throws Failure {
        if (Files.isDirectory(path)) return Files.isRegularFile(path.resolve("model_index.json"));
        if (!CHECKPOINT_NAME.matcher(path.getFileName().toString()).matches()) return false;
        try (TensorFile file = TensorFile.open(path)) {
            return TensorFileKind.detect(file) == TensorFileKind.MODEL;
        }
    }

    @Override
    public Optional<ModelDetails> readDetails(Path path) throws Failure {
        return Optional.of(ModelDetails.read(path, tokenizerFolders.home()));
    }

    @Override
    public List<Path> downloaded() {
        return new DownloadedModels(tokenizerFolders.home().models()).models();
    }

    /// Detected properties, and why the model has no tokenizer if so.
    private static ModelSummary.ModelWarnings readWarnings(DiffusionModel model) {
        try {
            model.tokenizer();
            return new ModelSummary.ModelWarnings(model.warnings(), Optional.empty());
        } catch (Failure missing) {
            return new ModelSummary.ModelWarnings(model.warnings(), Optional.of(FailureText.of(missing)));
        }
    }

    private ModelSummary summarize(Path path, ModelSummary.Origin origin) throws Failure {
        DiffusionModel model = DiffusionModel.open(path,
                ModelLoadOptions.ofTokenizerFolders(tokenizerFolders.folders()));
        long parameters = model.unetParameterCount();
        return new ModelSummary(path.toAbsolutePath().normalize(), model.name(), origin,
                ModelDefaults.of(model, Assets.find()),
                parameters, model.knownWords(), readWarnings(model));
    }
}
