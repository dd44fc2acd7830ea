package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A finished run without training: its adapter has small random values, equal for equal methods.
public record FakeRun(Path model, BaseModelHashes hashes, String method, String className, String token) {
    private static final String RECIPE = """
        {"steps": 10, "rate": 0.01, "seed": 0, "warmup": 0, "decay": "constant", "optimizer": "adamw", "batch": 0,
         "accumulate": 1, "ema": 0, "size": 0, "crop": "centre", "caption-template": "", "bank": 0, "min-snr": 0,
         "noise-offset": 0, "prior": "", "prior-weight": 0, "preview-every": 0, "precision": "fp32",
         "captions": false, "masks": false, "flip": false, "validate": false, "stop-early": false,
         "checkpointing": false}""";

    public FakeRun(Path model, BaseModelHashes hashes, String method) {
        this(model, hashes, method, "car", "sks");
    }

    public FakeRun of(String otherClass, String otherToken) {
        return new FakeRun(model, hashes, method, otherClass, otherToken);
    }

    public Path write(Path run) throws Failure {
        DiffusionModel folder = DiffusionModel.open(model);
        MethodSettings settings = MethodSettings.parse(method, Map.of());
        List<Layer> layers = folder.layers(Component.UNET);
        Map<String, Tensor> values = new HashMap<>();
        Random random = new Random(7);
        for (Layer layer : layers) {
            for (Map.Entry<String, Shape> slot : settings.method().parameterShapes(layer).entrySet()) {
                Tensor value = Tensor.zeros(slot.getValue());
                for (int i = 0; i < value.data().length; i++) value.data()[i] = (float) (0.02 * random.nextGaussian());
                values.put(layer.name() + "." + slot.getKey(), value);
            }
        }
        String hash = hashes.hash(folder);
        AdapterFile adapter = new AdapterFile(settings, new BaseModel(folder.name(), hash),
                new Trigger(token, className),
                new AdapterFile.TrainingSummary(10, 0.01, 0), AdaptedLayer.of(settings.method(), layers), values);
        adapter.write(run.resolve("adapter.safetensors"));
        for (int i = 0; i < 2; i++)
            PngWriter.write(run.resolve("pictures/0" + i + ".png"), RgbImage.filled(64, 64, 0x3366CC + i), Map.of());
        try {
            Files.writeString(run.resolve("run.json"),
                    description(folder.name(), hash, settings, adapter.parameterCount()).toString());
            Files.writeString(run.resolve("report.json"),
                    ("{\"numbers\":%d,\"bytes\":%d,\"seconds\":1.5,\"steps\":10,\"loss\":0.1,\"share\":0.001,"
                            + "\"peakMemory\":1000}")
                            .formatted(adapter.parameterCount(), Files.size(run.resolve("adapter.safetensors"))));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        return run;
    }

    private JsonObject description(String name, String hash, MethodSettings chosen, long numbers) {
        JsonObject base = new JsonObject();
        base.addProperty("path", model.toString());
        base.addProperty("name", name);
        base.addProperty("hash", hash);
        JsonObject json = new JsonObject();
        json.add("model", base);
        Map<String, String> words = Map.of("class", className, "token", token, "method", method, "created",
                "2026-01-01T00:00:00Z");
        words.forEach(json::addProperty);
        Map<String, Number> amounts = Map.of("format", 2, "batch", 2, "size", 64, "numbers", numbers);
        amounts.forEach(json::addProperty);
        JsonObject settings = new JsonObject();
        chosen.entries().forEach(settings::addProperty);
        json.add("settings", settings);
        json.add("recipe", JsonParser.parseString(RECIPE));
        JsonArray pictures = new JsonArray();
        for (int i = 0; i < 2; i++) {
            JsonObject picture = new JsonObject();
            picture.addProperty("name", "0" + i + ".png");
            picture.addProperty("sha256", "0".repeat(64));
            pictures.add(picture);
        }
        json.add("pictures", pictures);
        JsonArray captions = new JsonArray();
        captions.add("a " + token + " " + className);
        json.add("captions", captions);
        return json;
    }
}
