package atomstudio.app.models;

import atomstudio.app.jobs.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelChoices;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import java.nio.file.Path;
import java.util.Optional;

/// Models in folders and files, and the one that comes with the program.
public final class ModelFolderReader implements SummaryReader {
    private final TokenizerFolders tokenizerFolders;

    /// @param tokenizerFolders where to look for the tokenizer of a model that brings none
    public ModelFolderReader(TokenizerFolders tokenizerFolders) {
        this.tokenizerFolders = tokenizerFolders;
    }

    @Override public ModelSummary readBuiltIn() throws Failure {
        return summarize(Assets.find().defaultModel(), ModelSummary.Origin.BUILT_IN);
    }

    @Override public ModelSummary read(Path path) throws Failure {
        boolean builtIn = Assets.find().isDefaultModel(path);
        return summarize(path, builtIn ? ModelSummary.Origin.BUILT_IN : ModelSummary.Origin.EXTERNAL);
    }

    /// What was guessed, and why no prompt could be read where that is so.
    private static ModelSummary.ModelWarnings readWarnings(ModelFolder model) {
        try {
            model.tokenizer();
            return new ModelSummary.ModelWarnings(model.notes(), Optional.empty());
        } catch (Failure missing) {
            return new ModelSummary.ModelWarnings(model.notes(), Optional.of(missing.getMessage()));
        }
    }

    private ModelSummary summarize(Path path, ModelSummary.Origin origin) throws Failure {
        ModelFolder model = ModelFolder.open(path, ModelChoices.searching(tokenizerFolders.folders()));
        long parameters = model.layers(Part.UNET).stream().mapToLong(Layer::parameters).sum();
        return new ModelSummary(path.toAbsolutePath().normalize(), model.name(), origin, model.pictureSize(), parameters, model.words(), readWarnings(model));
    }
}
