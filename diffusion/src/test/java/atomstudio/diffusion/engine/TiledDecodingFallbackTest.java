package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.onnx.OnnxEngine;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TiledDecodingFallbackTest {
    private static final String WARNING = "Not enough memory to decode the image at once: it is decoded in tiles, "
            + "more slowly, with the same result.";
    /// A tenth of an 8-bit level: invisible, also at the edges of tiles.
    private static final double A_TENTH_OF_A_LEVEL = 0.1 * 2 / 255;

    @ParameterizedTest
    @CsvSource({"3, 12", "1, 9"})
    void tilesMatchTheWholeImage(int wholeLevels, int tileSide) throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            Tensor expected = engine.autoencoder().decode(latents);
            Tensor found = new TiledDecoding(model.vae(), (TileDecoder) engine.autoencoder(), tileSide).decode(latents,
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
            Tensor whole = TiledDecodingFallback
                    .around(engine.autoencoder(), model.vae(), () -> Long.MAX_VALUE, warnings::add)
                    .decode(latents);
            assertEquals(List.of(), warnings);
            Tensor found = TiledDecodingFallback
                    .around(engine.autoencoder(), model.vae(), () -> 1L << 20, warnings::add)
                    .decode(latents);
            assertEquals(List.of(WARNING), warnings);
            assertTrue(Deviation.absolute("image", whole, found, A_TENTH_OF_A_LEVEL).isWithinTolerance());
        }
    }

    @Test
    void decodesInTilesWithAWarningAfterAnOutOfMemoryError() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        try (Engine engine = OnnxEngine.open(model, Device.CPU, 2)) {
            Tensor latents = latents(model);
            TileDecoder tiles = (TileDecoder) engine.autoencoder();
            Tensor found = TiledDecodingFallback
                    .around(new OnlyTiles(tiles), model.vae(), () -> Long.MAX_VALUE, warnings::add)
                    .decode(latents);
            assertEquals(List.of(WARNING), warnings);
            assertTrue(Deviation
                    .absolute("image", engine.autoencoder().decode(latents), found, A_TENTH_OF_A_LEVEL)
                    .isWithinTolerance());
        }
    }

    /// An autoencoder without memory for whole images.
    private record OnlyTiles(TileDecoder tiles) implements Autoencoder, TileDecoder {
        @Override
        public LatentDistribution encode(Tensor images) throws Failure {
            throw new AssertionError("only decodes");
        }

        @Override
        public Tensor decode(Tensor latents) throws Failure {
            throw new Failure.OutOfMemory("the decoder", new IllegalStateException("too large"));
        }

        @Override
        public Tensor decodeHead(Tensor latents, int levels) throws Failure {
            return tiles.decodeHead(latents, levels);
        }

        @Override
        public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
            return tiles.decodeTile(features, level, norms);
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
