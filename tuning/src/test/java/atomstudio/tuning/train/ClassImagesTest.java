package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The cache key of class images.
class ClassImagesTest {
    private static final MethodSettings ATOMS = MethodSettings.of(MethodName.ATOMS);
    @TempDir
    Path folder;

    private String key(DiffusionModel model, String className, String template) throws Exception {
        TrainingConfig config = TrainingConfig.of(ATOMS)
                .with(Map.of(TrainingSetting.RESOLUTION, 16, TrainingSetting.CAPTION_TEMPLATE, template,
                        TrainingSetting.CLASS_IMAGES, TrainingConfig.PriorPreservation.AUTO,
                        TrainingSetting.PRIOR_LOSS_WEIGHT, 1.0));
        RunInfo.SubjectInfo subject = new RunInfo.SubjectInfo(className, "sks", List.of(), List.of());
        RunInfo info = new RunInfo(new RunInfo.BaseModelInfo(model.path(), model.name(), "the UNet's alone"), subject,
                ATOMS, new RunInfo.ResolvedConfig(config, 1, 16), 1, "");
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 1)) {
            return new ClassImages(new TrainingEnvironment(Device.CPU, 1, folder.resolve("home")),
                    new RunFolder(folder.resolve("run")), info, model, DiffusionPipeline.of(model, engine)).cacheKey();
        }
    }

    private DiffusionModel copy(String name) throws Exception {
        return TinyModel.make(folder.resolve(name), "sd1");
    }

    /// A copy with one tensor of a component doubled.
    private DiffusionModel doubled(String name, String file) throws Exception {
        Path weights = copy(name).path().resolve(file);
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile read = SafetensorsFile.open(weights)) {
            for (String key : read.tensors().keySet()) tensors.put(key, read.read(key));
        }
        String first = tensors.keySet()
                .stream()
                .filter(key -> key.endsWith("weight"))
                .sorted()
                .findFirst()
                .orElseThrow();
        for (int i = 0; i < tensors.get(first).data().length; i++) tensors.get(first).data()[i] *= 2;
        SafetensorsWriter.write(weights, tensors, Map.of());
        return DiffusionModel.open(folder.resolve(name));
    }

    private DiffusionModel edited(String name, String file, String from, String to) throws Exception {
        Path path = copy(name).path().resolve(file);
        String text = Files.readString(path);
        assertTrue(text.contains(from), file + " has " + from + ": " + text);
        Files.writeString(path, text.replace(from, to));
        return DiffusionModel.open(folder.resolve(name));
    }

    @Test
    void cacheKeyDependsOnEverythingThatChangesTheImages() throws Exception {
        DiffusionModel model = copy("model");
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("as it is", key(model, "car", ""));
        keys.put("another class", key(model, "owl", ""));
        keys.put("a template", key(model, "car", "a painting of {}"));
        keys.put("prediction",
                key(DiffusionModel.open(model.path(), ModelLoadOptions.defaults().withPredictionType(PredictionType.V)),
                        "car", ""));
        keys.put("another autoencoder", key(DiffusionModel.open(model.path(),
                ModelLoadOptions.defaults().withVae(TinyModel.reference("sd2").resolve("vae"))), "car", ""));
        keys.put("UNet", key(doubled("unet", "unet/diffusion_pytorch_model.safetensors"), "car", ""));
        keys.put("text encoder", key(doubled("text", "text_encoder/model.safetensors"), "car", ""));
        keys.put("VAE", key(doubled("vae", "vae/diffusion_pytorch_model.safetensors"), "car", ""));
        keys.put("betas", key(edited("betas", "scheduler/scheduler_config.json", "0.012", "0.013"), "car", ""));
        keys.put("activation", key(edited("act", "text_encoder/config.json", "quick_gelu", "gelu"), "car", ""));
        keys.put("vocabulary", key(edited("words", "tokenizer/vocab.json", "\"c\":2", "\"c\":102"), "car", ""));
        Set<String> different = new HashSet<>(keys.values());
        assertEquals(keys.size(), different.size(), keys.toString());
        assertEquals(keys.get("as it is"), key(copy("again"), "car", ""), "a copy elsewhere is the same model");
    }
}
