package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.net.ClipVision;
import atomstudio.diffusion.ops.Layer;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A model's CLIP vision tower: what pictures are compared with. Its weights are read when they are asked for.
/// @param model the model's name
public record VisionTower(Path folder, Place place, String model, ClipVision network, PicturePreparation preparation) {
    /// Where a model may have one. Only an image encoder is known to share its space with the model's projection of texts.
    public enum Place {
        IMAGE_ENCODER("image_encoder"), SAFETY_CHECKER("safety_checker");

        private final String folder;

        Place(String folder) {
            this.folder = folder;
        }
    }

    static Optional<VisionTower> of(ModelFolder model) throws Failure {
        for (Place place : Place.values()) {
            Path folder = model.folder().resolve(place.folder);
            if (Files.isDirectory(folder)) return Optional.of(read(folder, place, model));
        }
        return Optional.empty();
    }

    /// The tower of the model's safety checker, which must be there, whether the model has an image encoder beside it or not.
    static VisionTower ofSafetyChecker(ModelFolder model) throws Failure {
        return read(model.folder().resolve(Place.SAFETY_CHECKER.folder), Place.SAFETY_CHECKER, model);
    }

    private static VisionTower read(Path folder, Place place, ModelFolder model) throws Failure {
        Config config = Config.read(folder.resolve("config.json"));
        ClipVision network = switch (place) {
            case IMAGE_ENCODER -> NetworkConfigs.vision(config, config.positive("projection_dim", 512));
            case SAFETY_CHECKER -> NetworkConfigs.vision(visionHalf(config), config.positive("projection_dim", 512));
        };
        PicturePreparation preparation = PicturePreparation.of(model.folder().resolve("feature_extractor").resolve("preprocessor_config.json"), network.patches().side());
        return new VisionTower(folder, place, model.name(), network, preparation);
    }

    /// The vision half of a CLIPConfig; `vision_config_dict` is the older of its two places and wins, as in the reference.
    private static Config visionHalf(Config config) throws Failure {
        JsonObject vision = config.part("vision_config").json().deepCopy();
        config.part("vision_config_dict").json().entrySet().forEach(entry -> vision.add(entry.getKey(), entry.getValue()));
        return new Config(config.file(), vision);
    }

    /// Which encoder it is, as it stands beside every number that comes of it.
    public String encoder() {
        return place.folder + " of " + model;
    }

    public List<Layer> layers() {
        return Inventory.of(network);
    }

    /// Maps the weights and checks that all are there; the caller closes.
    public Checkpoint checkpoint() throws Failure {
        Checkpoint checkpoint = Checkpoint.open(new Weights.InFolder(folder, Naming.renaming(VisionTower::canonical)));
        try {
            checkpoint.check(layers());
            return checkpoint;
        } catch (Failure e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The safety checker's tower was published with its prefix twice; some have it not at all. The class token has no `.weight` of its own.
    private static String canonical(String key) {
        String name = key.startsWith("vision_model.vision_model.") ? key.substring("vision_model.".length()) : key;
        boolean bare = name.startsWith("embeddings.") || name.startsWith("encoder.") || name.startsWith("pre_layrnorm.") || name.startsWith("post_layernorm.");
        name = bare ? "vision_model." + name : name;
        return name.endsWith(".class_embedding") ? name + ".weight" : name;
    }
}
