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

class TiledDecoderTest {
    /// A tenth of what an 8-bit level spans: less than anybody sees, wherever the tiles' edges run.
    private static final double A_TENTH_OF_A_LEVEL = 0.1 * 2 / 255;

    @ParameterizedTest
    @CsvSource({"3, 12", "1, 9"})
    void aPictureInTilesIsTheWholePicture(int whole, int side) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            Tensor expected = engine.decode(latents);
            Tensor found = new TiledDecoder(model.vae(), engine, side).decode(latents,
                    Math.min(whole, model.vae().levels() - 1));
            Deviation deviation = Deviation.absolute("picture", expected, found, A_TENTH_OF_A_LEVEL);
            assertTrue(deviation.isWithinTolerance(), deviation.toString());
        }
    }

    @Test
    void decodesInTilesWhereMemoryIsShortAndSaysSo() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> notes = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            Tensor whole = new LatentDecoder(model, engine, () -> Long.MAX_VALUE, notes::add).decode(latents);
            assertEquals(List.of(), notes);
            Tensor found = new LatentDecoder(model, engine, () -> 1L << 20, notes::add).decode(latents);
            assertTrue(notes.size() == 1 && notes.getFirst().contains("in tiles"), notes.toString());
            assertTrue(Deviation.absolute("picture", whole, found, A_TENTH_OF_A_LEVEL).isWithinTolerance());
        }
    }

    /// A part of a real picture, not square.
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
