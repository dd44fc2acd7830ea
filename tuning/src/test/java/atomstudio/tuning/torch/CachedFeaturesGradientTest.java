package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.RestrictedMethod;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CachedFeaturesGradientTest {
    /// Also a side that is odd after downsampling, which upsampling restores by the shapes of the skips.
    @ParameterizedTest @ValueSource(ints = {8, 12})
    void stepWithCachedFeaturesEqualsTheFullStep(int side) throws Exception {
        DiffusionModel model = DiffusionModel.open(TinyModel.reference("sd1"));
        try (TorchEngine engine = TorchEngine.open(model, Device.CPU, TorchSettings.standard().withThreads(1))) {
            ParameterLayout layout = ParameterLayout
                    .of(new RestrictedMethod(new FilterAtoms(9), LayerSelector.parse("up")), model.trainableLayers());
            assertTrue(layout.trained().stream().allMatch(entry -> UNet.isDecoderLayer(entry.layer().name())));
            float[] parameters = ReferenceOps.random(1, layout.size()).data();
            for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.05f;
            TrainingBatch batch = new TrainingBatch(ReferenceOps.random(2, 2, 4, side, side), new float[] {10, 700},
                    new BatchConditioning.Embedded(ReferenceOps.random(3, 2, 5, model.unet().crossAttentionDim())),
                    ReferenceOps.random(4, 2, 4, side, side), Tensor.filled(Shape.of(2, 1, 1, 1), 1));
            for (DenoisingLossOptions.Checkpointing activations : DenoisingLossOptions.Checkpointing.values()) {
                try (DenoisingLoss denoisingLoss = engine
                        .denoisingLoss(new DenoisingLossOptions(layout, Map.of(), activations, ComputeDtype.FP32))) {
                    DenoisingLoss.Gradient whole = denoisingLoss.gradient(parameters, batch);
                    TrainingBatch known = batch.with(denoisingLoss.encoderFeatures(batch));
                    DenoisingLoss.Gradient upper = denoisingLoss.gradient(parameters, known);
                    assertTrue(!Arrays.equals(new float[layout.size()], whole.vector()));
                    assertEquals(whole.loss(), upper.loss());
                    assertArrayEquals(whole.vector(), upper.vector());
                    assertEquals(whole.loss(), denoisingLoss.loss(parameters, known));
                }
            }
        }
    }
}
