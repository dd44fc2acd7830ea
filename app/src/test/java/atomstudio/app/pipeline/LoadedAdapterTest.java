package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadedAdapterTest {
    @TempDir
    Path folder;

    private String nameOf(Path file) throws Exception {
        DiffusionModel model = DiffusionModel.open(Assets.find().defaultModel());
        MethodSettings settings = MethodSettings.of(MethodName.ATOMS);
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.layers(Component.UNET))
            settings.method()
                    .parameterShapes(layer)
                    .forEach((slot, shape) -> values.put(layer.name() + "." + slot, Tensor.zeros(shape)));
        new AdapterFile(settings, new BaseModel(model.name(), "00"), new Trigger("sks", "car"),
                new AdapterFile.TrainingSummary(1, 0.1, 0),
                AdaptedLayer.of(settings.method(), model.layers(Component.UNET)), values).write(file);
        return LoadedAdapter.load(file, model).getFirst().adapter().name();
    }

    @Test
    void exportedAdapterIsNamedByItsFile() throws Exception {
        assertEquals("my-car", nameOf(folder.resolve("my-car.safetensors")));
        assertEquals("adapter", nameOf(folder.resolve("adapter.safetensors")));
    }

    @Test
    void adapterInItsRunFolderIsNamedByTheRun() throws Exception {
        Path run = Files.createDirectory(folder.resolve("car-atoms"));
        Files.writeString(run.resolve("run.json"), "{}");
        assertEquals("car-atoms", nameOf(run.resolve("adapter.safetensors")));
    }
}
