package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LatentDecoderTest {
    /// A tenth of an 8-bit level: invisible, also at the edges of tiles.
    private static final double A_TENTH_OF_A_LEVEL = 0.1 * 2 / 255;

    @ParameterizedTest
    @CsvSource({"3, 12", "1, 9"})
    void tilesMatchTheWholeImage(int wholeLevels, int tileSide) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            Tensor expected = engine.decode(latents);
            Tensor found = new LatentDecoder.TiledDecoder(model.vae(), engine, tileSide).decode(latents,
                    Math.min(wholeLevels, model.vae().levels() - 1));
            Deviation deviation = Deviation.absolute("image", expected, found, A_TENTH_OF_A_LEVEL);
            assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }

    @Test
    void decodesInTilesWithAWarningIfMemoryIsShort() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            Tensor whole = new LatentDecoder(model, engine, () -> Long.MAX_VALUE, warnings::add).decode(latents);
            assertEquals(List.of(), warnings);
            Tensor found = new LatentDecoder(model, engine, () -> 1L << 20, warnings::add).decode(latents);
            assertTrue(warnings.size() == 1 && warnings.getFirst().contains("in tiles"), warnings.toString());
            assertTrue(Deviation.absolute("image", whole, found, A_TENTH_OF_A_LEVEL).isWithinTolerance());
        }
    }

    /// A part of a real image, not square.
    private static Tensor latents(DiffusionModel model) throws Exception {
        try (SafetensorsFile golden = SafetensorsFile
                .open(Shared.own("goldens/from-pictures/hires-ddim-2.safetensors"))) {
            Tensor square = golden.read("latents");
            int height = 19;
            int side = Math.toIntExact(square.shape().size(3));
            Tensor latents = Tensor.zeros(Shape.of(1, square.shape().size(1), height, side));
            for (int i = 0; i < latents.data().length; i++) {
                latents.data()[i] = square.data()[i / (height * side) * side * side + i % (height * side)]
                        / (float) model.vae().scalingFactor();
            }
            return latents;
        }
    }
}
