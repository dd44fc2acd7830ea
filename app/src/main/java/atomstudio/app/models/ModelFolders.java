package atomstudio.app.models;

import atomstudio.app.jobs.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.ops.Layer;
import java.nio.file.Path;

/// Diffusers folders, and the one that comes with the program.
public final class ModelFolders implements ModelLibrary {
    @Override public ModelSummary embedded() throws Failure {
        return summary(Assets.find().defaultModel(), ModelSummary.Origin.EMBEDDED);
    }

    @Override public ModelSummary open(Path folder) throws Failure {
        boolean embedded = Assets.find().isDefaultModel(folder);
        return summary(folder, embedded ? ModelSummary.Origin.EMBEDDED : ModelSummary.Origin.FOLDER);
    }

    private static ModelSummary summary(Path folder, ModelSummary.Origin origin) throws Failure {
        ModelFolder model = ModelFolder.open(folder);
        long parameters = model.layers(Part.UNET).stream().mapToLong(Layer::parameters).sum();
        return new ModelSummary(folder.toAbsolutePath().normalize(), model.name(), origin, model.pictureSize(), parameters, model.words());
    }
}
