package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.PredictionType;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/// What a model is and what it can do, from its configurations.
/// @param kind such as `Stable Diffusion 1.x`
/// @param imageSize side in pixels the model was trained for
/// @param parameters number of parameters of the UNet
/// @param abilities such as `text to image`
public record ModelFacts(String kind, int imageSize, long parameters, List<String> abilities) {
    private static final int SD1_CONTEXT = 768;
    private static final int SD2_CONTEXT = 1024;

    public ModelFacts {
        abilities = List.copyOf(abilities);
    }

    public static ModelFacts of(DiffusionModel model) throws Failure {
        long parameters = model.layers(Component.UNET).stream().mapToLong(Layer::parameterCount).sum();
        return new ModelFacts(kind(model), model.defaultImageSize(), parameters, abilities(model));
    }

    private static String kind(DiffusionModel model) throws Failure {
        String family = switch (model.unet().crossAttentionDim()) {
            case SD1_CONTEXT -> "Stable Diffusion 1.x";
            case SD2_CONTEXT -> "Stable Diffusion 2.x";
            default -> "Stable Diffusion, custom size";
        };
        return family + (isInpainting(model) ? " inpainting" : "")
                + (model.scheduler().predictionType() == PredictionType.V ? ", v-prediction" : "");
    }

    private static boolean isInpainting(DiffusionModel model) {
        return model.unet().channels().in() != model.unet().channels().out();
    }

    private static List<String> abilities(DiffusionModel model) {
        List<String> abilities = new ArrayList<>(isInpainting(model) ? List.of("inpainting")
                : List.of("text to image", "image to image", "inpainting with a mask", "training"));
        boolean isFolder = !model.isSingleFile();
        boolean hasChecker = isFolder && Files.isRegularFile(model.path().resolve("safety_checker/config.json"));
        if (hasChecker || isFolder && Files.isDirectory(model.path().resolve("image_encoder")))
            abilities.add("likeness metrics");
        if (hasChecker) abilities.add("safety checker");
        return abilities;
    }
}
