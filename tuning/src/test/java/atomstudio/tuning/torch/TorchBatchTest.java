package atomstudio.tuning.torch;

import atomstudio.diffusion.TensorAssert;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.sample.TorchRandom;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.FilterAtoms;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The UNet predicts a row of a batch as the row alone, with and without an adapter, on both backends.
class TorchBatchTest {
    private static final int IMAGES = 3;

    @Test
    void rowsDoNotDependOnTheBatch(@TempDir Path folder) throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        WeightedAdapter adapter = adapter(model);
        try (Engine torch = TorchEngine.openForSampling(model, Device.CPU, TorchSettings.standard(),
                ComputeDtype.FP32);
                Engine onnx = OnnxEngine.open(model, Device.CPU, 1)) {
            for (Engine engine : List.of(torch, onnx)) {
                for (List<WeightedAdapter> adapters : List.of(List.<WeightedAdapter>of(), List.of(adapter)))
                    assertRowsAlone(model, engine, adapters);
            }
        }
    }

    private static WeightedAdapter adapter(DiffusionModel model) {
        FilterAtoms method = new FilterAtoms(9);
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : model.trainableLayers())
            method.parameterShapes(layer)
                    .forEach((slot, shape) -> values.put(layer.name() + "." + slot,
                            new Tensor(shape, new CounterRng(1, layer.name() + slot).normals((int) shape.elements()))));
        return new WeightedAdapter(new Adapter("atoms", "hash", method, values, Optional.empty()), 0.1);
    }

    private static void assertRowsAlone(DiffusionModel model, Engine engine, List<WeightedAdapter> adapters)
            throws Exception {
        TorchRandom random = new TorchRandom(2);
        Tensor latents = random.randn(Shape.of(IMAGES, model.unet().channels().in(), 8, 8));
        Tensor context = random.randn(Shape.of(IMAGES, 7, model.unet().crossAttentionDim()));
        float[] timesteps = {500, 500, 500};
        Tensor batch = engine.noisePredictor().predict(latents, timesteps, Conditioning.of(context), adapters);
        for (int i = 0; i < IMAGES; i++) {
            Tensor alone = engine.noisePredictor()
                    .predict(latents.rows(i, i + 1), Arrays.copyOf(timesteps, 1),
                            Conditioning.of(context.rows(i, i + 1)), adapters);
            TensorAssert.assertClose("row " + i, alone, batch.rows(i, i + 1), 1e-5);
        }
    }
}
