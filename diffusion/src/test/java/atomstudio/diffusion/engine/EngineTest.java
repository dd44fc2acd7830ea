package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineTest {
    /// A UNet that records what the engine asks it for.
    private record RecordingUnet(List<String> calls) implements NoisePredictor {
        @Override
        public Tensor predict(Tensor latents, float[] timesteps, Conditioning conditioning,
                List<WeightedAdapter> adapters) {
            return latents;
        }

        @Override
        public void checkFiles() throws Failure.Unreadable {
            calls.add("check");
            throw new Failure.Unreadable("changed");
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }

    @Test
    void ownsTheReplacedUnetAndClosesTheFormerOne() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        int[][] ids = new int[1][model.textEncoder().maxTokens()];
        Tensor latents = Tensor.filled(Shape.of(1, 4, 8, 8), 1);
        Conditioning conditioning = Conditioning.of(Tensor.zeros(Shape.of(1, 5, model.unet().crossAttentionDim())));
        List<String> calls = new ArrayList<>();
        Engine onnx = OnnxEngine.open(model, Device.CPU, 1);
        Engine split = onnx.withNoisePredictor(new RecordingUnet(calls));
        assertEquals(latents, split.noisePredictor().predict(latents, new float[] {1}, conditioning, List.of()));
        assertThrows(IllegalStateException.class,
                () -> onnx.noisePredictor().predict(latents, new float[] {1}, conditioning, List.of()), "closed");
        split.textEncoder().encode(ids, 1, List.of());
        assertThrows(Failure.Unreadable.class, split::checkFiles);
        split.close();
        assertEquals(List.of("check", "close"), calls);
        assertThrows(IllegalStateException.class, () -> split.textEncoder().encode(ids, 1, List.of()), "closed");
    }
}
