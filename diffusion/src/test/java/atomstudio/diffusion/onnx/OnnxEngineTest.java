package atomstudio.diffusion.onnx;

import static atomstudio.diffusion.TensorAssert.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.NetworkGolden;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxEngineTest {
    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2", "inpaint"})
    void networksMatchDiffusers(String name) throws Exception {
        assertMatchesGolden(name, OnnxSettings.of(Device.CPU));
    }

    @ParameterizedTest @ValueSource(strings = {"sd1", "sd2", "inpaint"})
    void networksWithMappedWeightsMatchDiffusers(String name) throws Exception {
        assertMatchesGolden(name, new OnnxSettings(0, OnnxSettings.AdapterMode.FUSED));
    }

    @Test
    void float16UnetMatchesFloat32AndSwitchesToItOnOverflow() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        Tensor latents = wave(1, 2, 4, 16, 16), context = wave(0.3f, 2, 20, model.unet().crossAttentionDim());
        float[] timesteps = {801, 20};
        try (OnnxEngine full = OnnxEngine.open(model, Device.CPU, 2); OnnxEngine half = OnnxEngine.open(model,
                Device.CPU, 2,
                new OnnxSettings(256L << 20, OnnxSettings.AdapterMode.FUSED, OnnxSettings.UNetPrecision.FLOAT16))) {
            assertEquals(List.of(Engine.ComputePrecision.FULL, Engine.ComputePrecision.HALF),
                    List.of(full.precision(), half.precision()));
            Tensor expected = full.predictNoise(latents, timesteps, context, List.of());
            Tensor rounded = half.predictNoise(latents, timesteps, context, List.of());
            assertClose("UNet", expected, rounded, 0.01);
            assertNotEquals(expected, rounded);
            assertEquals(full.decode(wave(1, 1, 4, 16, 16)), half.decode(wave(1, 1, 4, 16, 16)),
                    "the decoder stays in float32");
            Tensor large = wave(1e6f, 2, 4, 16, 16);
            assertFalse(isFinite(half.predictNoise(large, timesteps, context, List.of())));
            half.useFullPrecision();
            assertEquals(Engine.ComputePrecision.FULL, half.precision());
            assertTrue(isFinite(half.predictNoise(large, timesteps, context, List.of())));
            assertEquals(expected, half.predictNoise(latents, timesteps, context, List.of()));
        }
    }

    private static boolean isFinite(Tensor tensor) {
        for (float number : tensor.data()) if (!Float.isFinite(number)) return false;
        return true;
    }

    private static Tensor wave(float scale, long... sizes) {
        Tensor tensor = Tensor.zeros(Shape.of(sizes));
        for (int i = 0; i < tensor.data().length; i++) tensor.data()[i] = scale * (float) Math.sin(2 + 5.1 * i);
        return tensor;
    }

    private static void assertMatchesGolden(String name, OnnxSettings settings) throws Exception {
        Path folder = Shared.own("goldens/nets/" + name);
        try (SafetensorsFile golden = SafetensorsFile.open(folder.resolve("golden.safetensors"));
                OnnxEngine engine = OnnxEngine.open(DiffusionModel.open(folder.resolve("model")), Device.CPU, 2,
                        settings)) {
            List<Deviation> deviations = NetworkGolden.compare(golden, engine);
            assertEquals(14, deviations.size());
            for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }
}
