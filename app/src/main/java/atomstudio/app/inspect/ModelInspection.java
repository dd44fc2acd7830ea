package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ImageEncoder;
import atomstudio.diffusion.model.ModelConfig;
import atomstudio.diffusion.model.NetworkFactory;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// Models: layers are counted from the configuration; of the weights only names and shapes are checked.
final class ModelInspection {
    private ModelInspection() {}

    static Inspection of(Path path) throws Failure {
        DiffusionModel model = DiffusionModel.open(path);
        JsonObject json = new JsonObject();
        json.addProperty("kind", "model");
        json.addProperty("name", model.name());
        json.addProperty(model.isSingleFile() ? "file" : "folder", path.toString());
        json.addProperty("image size", model.defaultImageSize() + "x" + model.defaultImageSize());
        json.addProperty("prediction", switch (model.scheduler().predictionType()) {
            case EPSILON -> "epsilon";
            case V -> "v_prediction";
            case SAMPLE -> "sample";
        });
        if (!model.warnings().isEmpty()) json.addProperty("guessed", String.join(" ", model.warnings()));
        if (model.unet().channels().in() != model.unet().channels().out())
            json.addProperty("inpainting", "takes a mask: " + model.unet().channels().in() + " input channels");
        json.addProperty("scheduler", model.scheduler().className());
        json.addProperty("tokens", model.textEncoder().maxTokens());
        List<String> problems = new ArrayList<>();
        for (Component component : model.components().keySet())
            json.add(component.folder(), componentJson(model, component, problems));
        addClipLayers(model, json, problems);
        json.add("trainable parameters", parametersByMethod(model.trainableLayers()));
        return new Inspection(json, problems);
    }

    /// The CLIP layers for metrics, which many models lack.
    private static void addClipLayers(DiffusionModel model, JsonObject json, List<String> problems) {
        try {
            Optional<ImageEncoder> imageEncoder = model.imageEncoder();
            if (imageEncoder.isPresent()) {
                JsonObject counts = counts(imageEncoder.get().file().layers());
                json.add(imageEncoder.get().file().weights().path().getFileName().toString(), counts);
                imageEncoder.get().file().open().close();
            }
            model.textProjection()
                    .ifPresent(
                            projection -> json.addProperty("text projection",
                                    projection.projectionDim() + " dimensions"));
        } catch (Failure error) {
            if (!problems.contains(error.getMessage())) problems.add(error.getMessage());
        }
    }

    private static JsonObject componentJson(DiffusionModel model, Component component, List<String> problems) {
        List<Layer> layers = model.layers(component);
        JsonObject json = counts(layers);
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(component))) {
            json.addProperty("stored as", dtypes(checkpoint));
            List<String> unused = checkpoint.unusedKeys(storedLayers(model, component, layers));
            if (!unused.isEmpty()) {
                JsonArray names = new JsonArray();
                unused.forEach(names::add);
                json.add("not used", names);
            }
            checkpoint.requireLayers(layers);
        } catch (Failure e) {
            problems.add(e.getMessage());
        }
        return json;
    }

    /// A component's layers, with the text projection that metrics read from the same file.
    private static List<Layer> storedLayers(DiffusionModel model, Component component, List<Layer> layers)
            throws Failure {
        return component.equals(Component.TEXT_ENCODER)
                ? model.textProjection().map(TextProjection::layers).orElse(layers)
                : layers;
    }

    private static String dtypes(Checkpoint checkpoint) {
        TreeSet<String> dtypes = new TreeSet<>();
        for (String name : checkpoint.keys()) dtypes.add(checkpoint.info(name).dtype().name());
        return String.join(", ", dtypes);
    }

    /// A network's configuration, without weights.
    static Inspection ofConfig(Path file) throws Failure {
        ModelConfig config = ModelConfig.read(file);
        String className = config.string("_class_name", config.string("model_type", ""));
        JsonObject json = new JsonObject();
        switch (className) {
            case "UNet2DConditionModel" -> {
                List<Layer> layers = NetworkFactory.unet(config).layers();
                json.addProperty("kind", "unet");
                json.add("unet", counts(layers));
                json.add("trainable parameters", parametersByMethod(layers));
            }
            case "AutoencoderKL" -> {
                json.addProperty("kind", "vae");
                json.add("vae", counts(NetworkFactory.vae(config).layers()));
            }
            case "clip_text_model" -> {
                json.addProperty("kind", "text_encoder");
                json.add("text_encoder", counts(NetworkFactory.textEncoder(Component.TEXT_ENCODER, config).layers()));
            }
            default -> throw new Failure.Unreadable(file
                    + ": expected the configuration of a UNet2DConditionModel, an AutoencoderKL or a CLIP text "
                    + "model, found "
                    + (className.isEmpty() ? "none of these" : className));
        }
        return Inspection.of(json);
    }

    private static JsonObject counts(List<Layer> layers) {
        JsonObject json = new JsonObject();
        json.addProperty("tensors", Layer.tensorCount(layers));
        json.addProperty("parameters", Layer.parameterCount(layers));
        json.addProperty("3x3 convolutions", countConvolutions(layers, 3));
        json.addProperty("1x1 convolutions", countConvolutions(layers, 1));
        json.addProperty("linear layers", layers.stream().filter(layer -> layer.kind() == Layer.Kind.LINEAR).count());
        return json;
    }

    private static long countConvolutions(List<Layer> layers, int kernel) {
        return layers.stream().filter(layer -> layer.kind() == Layer.Kind.CONV && layer.kernelSize() == kernel).count();
    }

    private static JsonObject parametersByMethod(List<Layer> layers) {
        JsonObject json = new JsonObject();
        for (MethodName choice : MethodName.values()) {
            long trainableParameters = MethodSettings.of(choice).method().parameterCount(layers);
            json.addProperty(choice.option(), trainableParameters);
            // A 1×1 kernel has one atom, so each such convolution adds one parameter.
            if (choice == MethodName.ATOMS)
                json.addProperty("atoms, all convolutions", trainableParameters + countConvolutions(layers, 1));
        }
        return json;
    }
}
