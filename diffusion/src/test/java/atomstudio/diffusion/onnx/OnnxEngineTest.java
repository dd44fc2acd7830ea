package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OnnxEngineTest {
    @Test
    void float16UnetMatchesFloat32AndSwitchesToItOnOverflow() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Tensor latents = wave(1, 2, 4, 16, 16), context = wave(0.3f, 2, 20, model.unet().crossAttentionDim());
        float[] timesteps = {801, 20};
        try (Engine full = OnnxEngine.open(model, Device.CPU, 2); Engine half = OnnxEngine.open(model,
                Device.CPU, 2,
                new OnnxSettings(256L << 20, OnnxSettings.AdapterMode.FUSED, OnnxSettings.UNetPrecision.FLOAT16))) {
            assertFalse(((ReducedPrecision) full.noisePredictor()).useFullPrecision(), "computes in float32");
            Tensor expected = full.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of());
            Tensor rounded = half.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of());
            assertClose("UNet", expected, rounded, 0.01);
            assertNotEquals(expected, rounded);
            assertEquals(full.autoencoder().decode(wave(1, 1, 4, 16, 16)),
                    half.autoencoder().decode(wave(1, 1, 4, 16, 16)),
                    "the decoder stays in float32");
            Tensor large = wave(1e6f, 2, 4, 16, 16);
            assertFalse(
                    half.noisePredictor().predict(large, timesteps, Conditioning.of(context), List.of()).isFinite());
            assertTrue(((ReducedPrecision) half.noisePredictor()).useFullPrecision());
            assertFalse(((ReducedPrecision) half.noisePredictor()).useFullPrecision(), "switched before");
            assertTrue(half.noisePredictor().predict(large, timesteps, Conditioning.of(context), List.of()).isFinite());
            assertEquals(expected,
                    half.noisePredictor().predict(latents, timesteps, Conditioning.of(context), List.of()));
        }
    }

    @Test
    void rejectsConditioningThatItWouldIgnore() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Tensor context = wave(0.3f, 1, 20, model.unet().crossAttentionDim());
        Conditioning pooled = new Conditioning(context, Optional.of(wave(1, 1, 16)), Optional.empty());
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            assertThrows(Failure.Unsupported.class, () -> engine.noisePredictor()
                    .predict(wave(1, 1, 4, 8, 8), new float[] {321}, pooled, List.of()));
        }
    }

    private static Tensor wave(float scale, long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = scale * (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }
}
