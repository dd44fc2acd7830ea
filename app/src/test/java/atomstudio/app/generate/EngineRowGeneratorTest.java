package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.runtime.Home;
import atomstudio.app.settings.AppSettings;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.adapter.BaseModelHashes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With the embedded model.
class EngineRowGeneratorTest {
    @TempDir
    Path home;

    /// What a row said.
    private static class Heard implements RowGenerator.RowListener {
        final List<Integer> steps = new ArrayList<>();
        final List<RowGenerator.GeneratedImage> pictures = new ArrayList<>();
        final List<RgbImage> looks = new ArrayList<>();
        final List<String> warnings = new ArrayList<>();
        int of;

        @Override
        public void step(int done, int all) {
            steps.add(done);
            of = all;
        }

        @Override
        public void image(int column, RowGenerator.GeneratedImage made) {
            pictures.add(made);
        }

        @Override
        public void preview(int column, RgbImage look) {
            looks.add(look);
        }

        @Override
        public void warning(String message) {
            warnings.add(message);
        }
    }

    private Heard make(Optional<Path> preview) throws Exception {
        ImageSettings initial = ImageSettings.initial(64, 4);
        ImageSettings settings = initial.withSeeds(new ImageSettings.Seeds(1, 2))
                .withSampling(initial.sampling().withSteps(4))
                .withSource(new ImageSettings.SourceSettings(Optional.empty(), 0.5, OptionalDouble.of(1.5)));
        Heard heard = new Heard();
        try (EngineRowGenerator rows = new EngineRowGenerator(new BaseModelHashes(home.resolve("hashes.json")),
                new TokenizerFolders(new Home(home)),
                () -> AppSettings.GenerationPreferences.defaults().withPreviewDecoder(preview))) {
            rows.generate(new RowGenerator.RowRequest(Shared.root().resolve("assets/default-model"), "a red apple",
                    Optional.empty(), settings), heard, () -> false);
        }
        return heard;
    }

    @Test
    void everyStepOfBothPassesIsHeardAndPicturesShowThemselves() throws Exception {
        Heard heard = make(Optional.empty());
        assertEquals(12, heard.of);
        assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), heard.steps);
        assertEquals(2, heard.pictures.size());
        assertEquals(96, heard.pictures.getFirst().image().width());
        assertTrue(!heard.looks.isEmpty());
        assertEquals(List.of(), heard.warnings);
    }

    @Test
    void aModelThatChangedIsOpenedAnewForTheNextRow() throws Exception {
        Path original = Shared.root().resolve("assets/default-model");
        Path model = home.resolve("model");
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : files.toList()) Files.copy(file, model.resolve(original.relativize(file).toString()));
        }
        Path weights = model.resolve("unet/diffusion_pytorch_model.safetensors");
        ImageSettings initial = ImageSettings.initial(64, 4);
        RowGenerator.RowRequest order = new RowGenerator.RowRequest(model, "a red apple", Optional.empty(),
                initial.withSeeds(new ImageSettings.Seeds(1, 1)).withSampling(initial.sampling().withSteps(4)));
        try (EngineRowGenerator rows = new EngineRowGenerator(new BaseModelHashes(home.resolve("hashes.json")),
                new TokenizerFolders(new Home(home)), AppSettings.GenerationPreferences::defaults)) {
            Failure failure = assertThrows(Failure.Unreadable.class, () -> rows.generate(order, new Heard() {
                @Override
                public void step(int done, int all) {
                    assertTrue(weights.toFile().setLastModified(1_000_000_000L * done));
                }
            }, () -> false));
            assertTrue(failure.getMessage().contains(weights + ": changed while it was in use"), failure.getMessage());
            Heard heard = new Heard();
            rows.generate(order, heard, () -> false);
            assertEquals(1, heard.pictures.size());
        }
    }

    @Test
    void aDecoderForPreviewsIsLookedThrough() throws Exception {
        Heard heard = make(Optional.of(Shared.own("goldens/taesd/decoder.safetensors")));
        assertEquals(64, heard.looks.getFirst().width());
        assertEquals(List.of(), heard.warnings);
    }

    @Test
    void aFileThatIsNoDecoderIsSaidAndPicturesAreMade() throws Exception {
        Heard heard = make(Optional.of(Shared.own("goldens/taesd/golden.safetensors")));
        assertTrue(heard.warnings.getFirst().startsWith("Previews without the chosen decoder: "),
                heard.warnings.toString());
        assertEquals(2, heard.pictures.size());
    }
}
