package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipVisionModel;
import atomstudio.diffusion.ops.Layer;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A model's CLIP vision tower: what pictures are compared with. Its weights are read when they are asked for.
/// @param modelName the model's name
public record ImageEncoder(Path folder, Source source, String modelName, ClipVisionModel network, ImageProcessor processor) {
    /// Where a model may have one. Only an image encoder is known to share its space with the model's projection of texts.
    public enum Source {
        IMAGE_ENCODER("image_encoder"), SAFETY_CHECKER("safety_checker");

        private final String folder;

        Source(String folder) {
            this.folder = folder;
        }
    }

    static Optional<ImageEncoder> of(DiffusionModel model) throws Failure {
        for (Source source : Source.values()) {
            Path folder = model.path().resolve(source.folder);
            if (Files.isDirectory(folder)) return Optional.of(read(folder, source, model));
        }
        return Optional.empty();
    }

    /// The tower of the model's safety checker, which must be there, whether the model has an image encoder beside it or not.
    static ImageEncoder ofSafetyChecker(DiffusionModel model) throws Failure {
        return read(model.path().resolve(Source.SAFETY_CHECKER.folder), Source.SAFETY_CHECKER, model);
    }

    private static ImageEncoder read(Path folder, Source source, DiffusionModel model) throws Failure {
        ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
        ClipVisionModel network = switch (source) {
            case IMAGE_ENCODER -> NetworkFactory.imageEncoder(config, config.positiveInteger("projection_dim", 512));
            case SAFETY_CHECKER -> NetworkFactory.imageEncoder(visionConfig(config), config.positiveInteger("projection_dim", 512));
        };
        ImageProcessor processor = ImageProcessor.read(model.path().resolve("feature_extractor").resolve("preprocessor_config.json"), network.patches().imageSize());
        return new ImageEncoder(folder, source, model.name(), network, processor);
    }

    /// The vision half of a CLIPConfig; `vision_config_dict` is the older of its two places and wins, as in the reference.
    private static ModelConfig visionConfig(ModelConfig config) throws Failure {
        JsonObject vision = config.section("vision_config").json().deepCopy();
        config.section("vision_config_dict").json().entrySet().forEach(entry -> vision.add(entry.getKey(), entry.getValue()));
        return new ModelConfig(config.file(), vision);
    }

    /// Which encoder it is, as it stands beside every number that comes of it.
    public String description() {
        return source.folder + " of " + modelName;
    }

    public List<Layer> layers() {
        return NetworkLayers.of(network);
    }

    /// Maps the weights and checks that all are there; the caller closes.
    public Checkpoint openCheckpoint() throws Failure {
        Checkpoint checkpoint = Checkpoint.open(new WeightLocation.InFolder(folder, KeyMapping.renaming(ImageEncoder::transformersKey)));
        try {
            checkpoint.check(layers());
            return checkpoint;
        } catch (Failure e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The safety checker's tower was published with its prefix twice; some have it not at all. The class token has no `.weight` of its own.
    private static String transformersKey(String key) {
        String name = key.startsWith("vision_model.vision_model.") ? key.substring("vision_model.".length()) : key;
        boolean lacksPrefix = name.startsWith("embeddings.") || name.startsWith("encoder.") || name.startsWith("pre_layrnorm.") || name.startsWith("post_layernorm.");
        name = lacksPrefix ? "vision_model." + name : name;
        return name.endsWith(".class_embedding") ? name + ".weight" : name;
    }
}
