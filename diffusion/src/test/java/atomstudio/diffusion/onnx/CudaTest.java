package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Conditioning;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.ReducedPrecision;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// `mvn -P cuda -pl diffusion -am test -Dtest=CudaTest -Dtest.excludedGroups=` on a machine with an NVIDIA GPU.
@Tag("gpu")
class CudaTest {
    @Test
    void cudaMatchesCpuWithinFloat16Precision() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Tensor latents = wave(2, 4, 16, 16), context = wave(2, 20, model.unet().crossAttentionDim());
        try (Engine cpu = OnnxEngine.open(model, Device.CPU, 2); Engine cuda = open(model)) {
            Tensor expected = cpu.noisePredictor()
                    .predict(latents, new float[] {801, 20}, Conditioning.of(context), List.of());
            assertClose("UNet in float16", expected,
                    cuda.noisePredictor().predict(latents, new float[] {801, 20}, Conditioning.of(context), List.of()),
                    0.02);
            assertTrue(((ReducedPrecision) cuda.noisePredictor()).useFullPrecision(), "float16 before");
            assertClose("UNet in float32, whose products the GPU may round to TF32", expected,
                    cuda.noisePredictor().predict(latents, new float[] {801, 20}, Conditioning.of(context), List.of()),
                    0.01);
            assertClose("decoder", cpu.autoencoder().decode(wave(1, 4, 16, 16)),
                    cuda.autoencoder().decode(wave(1, 4, 16, 16)), 0.01);
        }
    }

    private static Engine open(DiffusionModel model) throws Failure {
        try {
            return OnnxEngine.open(model, Device.CUDA, 2);
        } catch (Failure.DeviceUnavailable unavailable) {
            return abort("skipped: " + unavailable.getMessage());
        }
    }

    private static Tensor wave(long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }
}
