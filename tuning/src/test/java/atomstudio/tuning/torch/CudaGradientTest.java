package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.ParameterLayout;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// `mvn -P cuda -pl tuning -am test -Dtest=CudaGradientTest -Dtest.excludedGroups=
/// -Dsurefire.failIfNoSpecifiedTests=false` on a machine with an NVIDIA GPU.
@Tag("gpu")
class CudaGradientTest {
    @Test
    void gpuGradientsAreCloseToTheCpus() throws Exception {
        DiffusionModel model = DiffusionModel.open(TinyModel.reference("sd1"));
        ParameterLayout layout = ParameterLayout.of(new FilterAtoms(9), model.trainableLayers());
        float[] parameters = ReferenceOps.random(1, layout.size()).data();
        for (int i = 0; i < parameters.length; i++) parameters[i] *= 0.05f;
        TrainingBatch batch = new TrainingBatch(ReferenceOps.random(2, 2, 4, 8, 8), new float[] {10, 700},
                new BatchConditioning.Embedded(ReferenceOps.random(3, 2, 5, model.unet().crossAttentionDim())),
                ReferenceOps.random(4, 2, 4, 8, 8), Tensor.filled(Shape.of(2, 1, 1, 1), 1));
        try (TorchEngine cpu = TorchEngine.open(model, Device.CPU, TorchSettings.standard());
                TorchEngine cuda = open(model)) {
            float[] expected = gradient(cpu, layout, parameters, batch, ComputeDtype.FP32);
            assertEquals(1, cosine(expected, gradient(cuda, layout, parameters, batch, ComputeDtype.FP32)), 1e-3);
            assertEquals(1, cosine(expected, gradient(cuda, layout, parameters, batch, ComputeDtype.BF16)), 0.02);
        }
    }

    private static float[] gradient(TorchEngine engine, ParameterLayout layout, float[] parameters, TrainingBatch batch,
            ComputeDtype precision) throws Failure {
        try (DenoisingLoss denoisingLoss = engine.denoisingLoss(
                new DenoisingLossOptions(layout, Map.of(), DenoisingLossOptions.Checkpointing.NONE, precision))) {
            return denoisingLoss.gradient(parameters, batch).vector();
        }
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0, first = 0, second = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            first += a[i] * a[i];
            second += b[i] * b[i];
        }
        return dot / Math.sqrt(first * second);
    }

    private static TorchEngine open(DiffusionModel model) throws Failure {
        try {
            return TorchEngine.open(model, Device.CUDA, TorchSettings.standard());
        } catch (Failure.DeviceUnavailable none) {
            return abort("skipped: " + none.getMessage());
        }
    }
}
