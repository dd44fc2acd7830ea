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
public final class ModelFolders implements ModelLibrary {
    private final Vocabularies vocabularies;

    /// @param vocabularies where to look for the tokenizer of a model that brings none
    public ModelFolders(Vocabularies vocabularies) {
        this.vocabularies = vocabularies;
    }

    @Override public ModelSummary embedded() throws Failure {
        return summary(Assets.find().defaultModel(), ModelSummary.Origin.EMBEDDED);
    }

    @Override public ModelSummary open(Path place) throws Failure {
        boolean embedded = Assets.find().isDefaultModel(place);
        return summary(place, embedded ? ModelSummary.Origin.EMBEDDED : ModelSummary.Origin.FOLDER);
    }

    /// What was guessed, and why no prompt could be read where that is so.
    private static ModelSummary.Remarks remarks(ModelFolder model) {
        try {
            model.tokenizer();
            return new ModelSummary.Remarks(model.notes(), Optional.empty());
        } catch (Failure missing) {
            return new ModelSummary.Remarks(model.notes(), Optional.of(missing.getMessage()));
        }
    }

    private ModelSummary summary(Path place, ModelSummary.Origin origin) throws Failure {
        ModelFolder model = ModelFolder.open(place, ModelChoices.searching(vocabularies.places()));
        long parameters = model.layers(Part.UNET).stream().mapToLong(Layer::parameters).sum();
        return new ModelSummary(place.toAbsolutePath().normalize(), model.name(), origin, model.pictureSize(), parameters, model.words(), remarks(model));
    }
}
