package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.SparseAtoms;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sparse coding's α is computed once and used for gradients and sampling.
class DerivedParametersTest {
    private static final TorchSettings SETTINGS = new TorchSettings(
            Path.of(System.getProperty("user.home"), ".atomstudio", "natives"), 1);
    @TempDir
    Path folder;

    private static float[] normals(int count, String stream) {
        return new CounterRng(3, stream).normals(count);
    }

    @Test
    void gradientsAndSamplingShareDerivedValues() throws Exception {
        DiffusionModel model = TinyModel.make(folder.resolve("model"), "sd1");
        ParameterLayout layout = ParameterLayout.of(new SparseAtoms(12), model.trainableLayers());
        try (TorchEngine engine = TorchEngine.open(model, Device.CPU, SETTINGS)) {
            AtomicInteger read = new AtomicInteger();
            Map<String, Tensor> frozen = layout
                    .frozenValues(new ParameterLayout.Initialization(engine::baseWeight, 5, List.of()));
            Map<String, Tensor> completed = layout.withDerived(frozen, layer -> {
                read.incrementAndGet();
                return engine.baseWeight(layer);
            });
            assertEquals(layout.derived().size(), read.get());
            float[] parameters = normals(layout.size(), "numbers");
            Map<String, Tensor> stored = new HashMap<>(frozen);
            stored.putAll(layout.fromVector(parameters));
            Map<String, Tensor> whole = new HashMap<>(completed);
            whole.putAll(layout.fromVector(parameters));
            TrainingBatch batch = batch(model);

            float[] expected;
            try (DenoisingLoss denoisingLoss = engine.denoisingLoss(new DenoisingLossOptions(layout, completed))) {
                expected = denoisingLoss.gradient(parameters, batch).vector();
            }
            Tensor picture = engine.networks()
                    .noisePredictor()
                    .predict(batch.noisyLatents(), batch.timesteps(), Conditioning.of(context(model)),
                            List.of(new WeightedAdapter(new Adapter("whole", "", layout.method(), whole), 1)));
            List<WeightedAdapter> applied = List
                    .of(new WeightedAdapter(new Adapter("stored", "", layout.method(), stored), 1));
            assertThrows(IllegalStateException.class,
                    () -> engine.networks()
                            .noisePredictor()
                            .predict(batch.noisyLatents(), batch.timesteps(), Conditioning.of(context(model)), applied),
                    "nothing is derived yet");

            engine.derive(layout, frozen);
            assertEquals(Float.BYTES * layout.derivedElementCount(), engine.derivedBytes());
            for (int i = 0; i < 2; i++) {
                try (DenoisingLoss denoisingLoss = engine.denoisingLoss(new DenoisingLossOptions(layout, frozen))) {
                    assertArrayEquals(expected, denoisingLoss.gradient(parameters, batch).vector());
                }
                assertEquals(picture,
                        engine.networks()
                                .noisePredictor()
                                .predict(batch.noisyLatents(), batch.timesteps(), Conditioning.of(context(model)),
                                        applied));
            }
            assertTrue(engine.derivedBytes() > 0, "closing the loss keeps them");
        }
    }

    private static Tensor context(DiffusionModel model) {
        return new Tensor(Shape.of(1, 3, model.unet().crossAttentionDim()),
                normals(3 * (int) model.unet().crossAttentionDim(), "context"));
    }

    private static TrainingBatch batch(DiffusionModel model) {
        Shape latents = Shape.of(1, model.unet().channels().in(), 8, 8);
        int count = (int) latents.elements();
        return new TrainingBatch(new Tensor(latents, normals(count, "noisy")), new float[] {7},
                new BatchConditioning.Embedded(context(model)), new Tensor(latents, normals(count, "target")),
                Tensor.filled(Shape.of(1, 1, 1, 1), 1));
    }
}
