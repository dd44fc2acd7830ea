package atomstudio.app.cli;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `studio export` of an adapter of `train --on`: the one below is merged first, wherever it is found.
class ExportCommandTest {
    private static final String LAYER = "down_blocks.0.resnets.0.conv1";
    @TempDir
    Path folder;
    private Path modelFolder;

    @BeforeEach
    void findModel() throws Exception {
        modelFolder = Assets.find().defaultModel();
    }

    private Path below() throws Exception {
        Map<String, Tensor> lora = new HashMap<>();
        String key = "lora_unet_" + LAYER.replace('.', '_');
        lora.put(key + ".lora_down.weight", Tensor.generate(Shape.of(2, 64, 3, 3), i -> 0.1 * Math.sin(1 + 7.3 * i)));
        lora.put(key + ".lora_up.weight", Tensor.generate(Shape.of(64, 2, 1, 1), i -> 0.3 * Math.cos(1 + 7.3 * i)));
        Path file = folder.resolve("below.safetensors");
        SafetensorsWriter.write(file, lora, Map.of());
        return file;
    }

    /// Filter atoms, whose change is a product with the weight.
    private Path above(String name, Optional<BaseModel.MergedAdapter> merged) throws Exception {
        DiffusionModel model = DiffusionModel.open(modelFolder);
        MethodSettings settings = MethodSettings.of(MethodName.ATOMS);
        List<Layer> layers = model.layers(Component.UNET);
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : layers)
            settings.method()
                    .parameterShapes(layer)
                    .forEach((parameter, shape) -> values.put(layer.name() + "." + parameter,
                            Tensor.generate(shape, i -> 0.2 * Math.sin(1 + 7.3 * i))));
        Path file = folder.resolve(name);
        new AdapterFile(settings, new BaseModel(model.name(), "00", merged), new Trigger("sks", "car"),
                new AdapterFile.TrainingSummary(1, 0.1, 0), AdaptedLayer.of(settings.method(), layers), values)
                .write(file);
        return file;
    }

    private Tensor merged(Path model, Object... adapters) throws Exception {
        Path out = Files.createTempDirectory(folder, "merged").resolve("model");
        CommandLineRun run = export(model, out, adapters);
        assertEquals(ExitCode.SUCCESS, run.exitCode(), run.err());
        return weight(out);
    }

    private static Tensor weight(Path model) throws Exception {
        try (SafetensorsFile unet = SafetensorsFile.open(model.resolve("unet/diffusion_pytorch_model.safetensors"))) {
            return unet.read(LAYER + ".weight");
        }
    }

    private CommandLineRun export(Path model, Path out, Object... adapters) {
        List<Object> arguments = new ArrayList<>(List.of("export", "--model", model, "--format", "merged-diffusers",
                "--precision", "float32", "--out", out));
        for (Object adapter : adapters) arguments.addAll(List.of("--adapter", adapter));
        return CommandLineRun.of(folder.resolve("home"), arguments.toArray());
    }

    @Test
    void theAdapterBelowIsMergedFirst() throws Exception {
        Path below = below();
        Path above = above("above.safetensors",
                Optional.of(new BaseModel.MergedAdapter("below.safetensors", Sha256.of(below), 0.5)));
        Path plain = above("plain.safetensors", Optional.empty());
        Path first = folder.resolve("first");
        assertEquals(ExitCode.SUCCESS, export(modelFolder, first, below + ":0.5").exitCode());
        Tensor expected = merged(first, plain);
        assertClose("found beside it", expected, merged(modelFolder, above), 1e-6);
        assertClose("named before it", expected, merged(modelFolder, below, above), 1e-6);
        assertClose("named after it", expected, merged(modelFolder, above, below), 1e-6);
        Tensor sum = merged(modelFolder, plain, below + ":0.5");
        assertTrue(sum.zip(expected, (one, other) -> one - other).squaredNorm() > 1e-4,
                "the order makes no difference");
    }

    @Test
    void anAdapterBelowElsewhereIsNamed() throws Exception {
        Path below = below();
        Path above = above("above.safetensors",
                Optional.of(new BaseModel.MergedAdapter("below.safetensors", Sha256.of(below), 0.5)));
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere")).resolve("renamed.safetensors");
        Files.move(below, elsewhere);
        Path out = folder.resolve("out");
        CommandLineRun missing = export(modelFolder, out, above);
        assertEquals(ExitCode.FAILED, missing.exitCode());
        assertTrue(missing.err().contains("expected below.safetensors (SHA-256 "), missing.err());
        assertFalse(Files.exists(out));
        assertEquals(ExitCode.SUCCESS, export(modelFolder, out, above, elsewhere).exitCode());
        Path other = above("other.safetensors",
                Optional.of(new BaseModel.MergedAdapter("x.safetensors", "ab".repeat(32), 1)));
        CommandLineRun two = export(modelFolder, folder.resolve("two"), above, other);
        assertEquals(ExitCode.FAILED, two.exitCode());
        assertTrue(two.err().contains("merge them one after the other"), two.err());
    }
}
