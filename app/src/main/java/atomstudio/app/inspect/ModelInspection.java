package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.Config;
import atomstudio.diffusion.model.Inventory;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.NetworkConfigs;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.model.TextProjection;
import atomstudio.diffusion.model.VisionTower;
import atomstudio.diffusion.ops.DryRun;
import atomstudio.diffusion.ops.Layer;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// Models: counted by a dry run over their configuration, weights only looked up by name and shape.
final class ModelInspection {
    private ModelInspection() {}

    static Inspection of(Path place) throws Failure {
        ModelFolder model = ModelFolder.open(place);
        JsonObject json = new JsonObject();
        json.addProperty("kind", "model");
        json.addProperty("name", model.name());
        json.addProperty(model.inOneFile() ? "file" : "folder", place.toString());
        json.addProperty("picture size", model.pictureSize() + "x" + model.pictureSize());
        json.addProperty("prediction", switch (model.scheduler().predictionType()) {
            case EPSILON -> "epsilon";
            case V -> "v_prediction";
            case SAMPLE -> "sample";
        });
        if (!model.notes().isEmpty()) json.addProperty("guessed", String.join(" ", model.notes()));
        if (model.unet().channels().in() != model.unet().channels().out()) json.addProperty("inpainting", "takes a mask: " + model.unet().channels().in() + " input channels");
        json.addProperty("scheduler", model.scheduler().className());
        json.addProperty("tokens", model.text().tokens());
        List<String> problems = new ArrayList<>();
        for (Part part : Part.values()) json.add(part.folder(), part(model, part, problems));
        measuring(model, json, problems);
        json.add("numbers tuned", methods(model.tunable()));
        return new Inspection(json, problems);
    }

    /// What the model brings to measure pictures with: nothing in many.
    private static void measuring(ModelFolder model, JsonObject json, List<String> problems) {
        try {
            Optional<VisionTower> tower = model.visionTower();
            if (tower.isPresent()) {
                JsonObject counts = counts(tower.get().layers());
                json.add(tower.get().folder().getFileName().toString(), counts);
                tower.get().checkpoint().close();
            }
            model.textProjection().ifPresent(projection -> json.addProperty("text projection", projection.projected() + " numbers"));
        } catch (Failure damaged) {
            if (!problems.contains(damaged.getMessage())) problems.add(damaged.getMessage());
        }
    }

    private static JsonObject part(ModelFolder model, Part part, List<String> problems) {
        List<Layer> layers = model.layers(part);
        JsonObject json = counts(layers);
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(part))) {
            json.addProperty("stored as", dtypes(checkpoint));
            List<String> unused = checkpoint.unused(read(model, part, layers));
            if (!unused.isEmpty()) {
                JsonArray names = new JsonArray();
                unused.forEach(names::add);
                json.add("not used", names);
            }
            checkpoint.check(layers);
        } catch (Failure e) {
            problems.add(e.getMessage());
        }
        return json;
    }

    /// A part's layers, with what measuring pictures reads of the same file.
    private static List<Layer> read(ModelFolder model, Part part, List<Layer> layers) throws Failure {
        return part == Part.TEXT ? model.textProjection().map(TextProjection::layers).orElse(layers) : layers;
    }

    private static String dtypes(Checkpoint checkpoint) {
        TreeSet<String> dtypes = new TreeSet<>();
        for (String name : checkpoint.names()) dtypes.add(checkpoint.info(name).dtype().name());
        return String.join(", ", dtypes);
    }

    /// A network's configuration without its weights.
    static Inspection ofConfig(Path file) throws Failure {
        Config config = Config.read(file);
        String kind = config.text("_class_name", config.text("model_type", ""));
        JsonObject json = new JsonObject();
        switch (kind) {
            case "UNet2DConditionModel" -> {
                List<Layer> layers = Inventory.of(NetworkConfigs.unet(config));
                json.addProperty("kind", "unet");
                json.add("unet", counts(layers));
                json.add("numbers tuned", methods(layers));
            }
            case "AutoencoderKL" -> {
                json.addProperty("kind", "vae");
                json.add("vae", counts(Inventory.of(NetworkConfigs.vae(config))));
            }
            case "clip_text_model" -> {
                json.addProperty("kind", "text_encoder");
                json.add("text_encoder", counts(Inventory.of(NetworkConfigs.text(config))));
            }
            default -> throw new Failure.Unreadable(file + ": expected the configuration of a UNet2DConditionModel, an AutoencoderKL or a CLIP text model, found "
                    + (kind.isEmpty() ? "none of these" : kind));
        }
        return Inspection.of(json);
    }

    private static JsonObject counts(List<Layer> layers) {
        JsonObject json = new JsonObject();
        json.addProperty("tensors", DryRun.tensors(layers));
        json.addProperty("parameters", DryRun.parameters(layers));
        json.addProperty("3x3 convolutions", convolutions(layers, 3));
        json.addProperty("1x1 convolutions", convolutions(layers, 1));
        json.addProperty("linear layers", layers.stream().filter(layer -> layer.kind() == Layer.Kind.LINEAR).count());
        return json;
    }

    private static long convolutions(List<Layer> layers, int kernel) {
        return layers.stream().filter(layer -> layer.kind() == Layer.Kind.CONV && layer.kernel() == kernel).count();
    }

    private static JsonObject methods(List<Layer> layers) {
        JsonObject json = new JsonObject();
        for (MethodSettings.Choice choice : MethodSettings.Choice.values()) {
            long numbers = MethodSettings.of(choice).method().numbers(layers);
            json.addProperty(choice.command(), numbers);
            // A 1×1 kernel has one atom, so each such convolution would add one number.
            if (choice == MethodSettings.Choice.ATOMS) json.addProperty("atoms, all convolutions", numbers + convolutions(layers, 1));
        }
        return json;
    }
}
