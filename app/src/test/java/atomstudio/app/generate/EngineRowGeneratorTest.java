package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.models.TokenizerFolders;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.provider.DeviceSelection;
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

/// Uses the built-in model.
class EngineRowGeneratorTest {
    @TempDir
    Path home;

    /// Records the events of a row.
    private static class RecordingListener implements RowGenerator.RowListener {
        final List<Integer> steps = new ArrayList<>();
        final List<RowGenerator.GeneratedImage> images = new ArrayList<>();
        final List<RgbImage> previews = new ArrayList<>();
        final List<String> warnings = new ArrayList<>();
        int total;

        @Override
        public void step(int done, int total) {
            steps.add(done);
            this.total = total;
        }

        @Override
        public void image(long seed, RowGenerator.GeneratedImage generated) {
            images.add(generated);
        }

        @Override
        public void preview(long seed, RgbImage image) {
            previews.add(image);
        }

        @Override
        public void warning(String message) {
            warnings.add(message);
        }
    }

    private RecordingListener generate(Optional<Path> preview) throws Exception {
        ImageSettings initial = ImageSettings.initial(ModelDefaults.ofSize(64));
        ImageSettings settings = initial.withSeeds(new ImageSettings.Seeds(1, 2))
                .withSampling(initial.sampling().withSteps(4))
                .withSource(new ImageSettings.SourceSettings(Optional.empty(), 0.5, OptionalDouble.of(1.5)));
        RecordingListener listener = new RecordingListener();
        try (EngineRowGenerator generator = new EngineRowGenerator(new BaseModelHashes(home.resolve("hashes.json")),
                new TokenizerFolders(new Home(home)),
                () -> AppSettings.GenerationPreferences.defaults().withPreviewDecoder(preview),
                new DeviceSelection(new Home(home)))) {
            generator.generate(new RowGenerator.RowRequest(Shared.root().resolve("assets/default-model"), "a red apple",
                    Optional.empty(), settings), settings.seeds().list(), listener, () -> false);
        }
        return listener;
    }

    @Test
    void reportsStepsOfBothPassesAndPreviews() throws Exception {
        RecordingListener listener = generate(Optional.empty());
        assertEquals(12, listener.total);
        assertEquals(List.of(2, 4, 6, 8, 10, 12), listener.steps, "both images are sampled together");
        assertEquals(2, listener.images.size());
        assertEquals(96, listener.images.getFirst().image().width());
        assertTrue(!listener.previews.isEmpty());
        assertEquals(List.of(), listener.warnings);
    }

    @Test
    void reopensChangedModel() throws Exception {
        Path original = Shared.root().resolve("assets/default-model");
        Path model = home.resolve("model");
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : files.toList()) Files.copy(file, model.resolve(original.relativize(file).toString()));
        }
        Path weights = model.resolve("unet/diffusion_pytorch_model.safetensors");
        ImageSettings initial = ImageSettings.initial(ModelDefaults.ofSize(64));
        RowGenerator.RowRequest request = new RowGenerator.RowRequest(model, "a red apple", Optional.empty(),
                initial.withSeeds(new ImageSettings.Seeds(1, 1)).withSampling(initial.sampling().withSteps(4)));
        try (EngineRowGenerator generator = new EngineRowGenerator(new BaseModelHashes(home.resolve("hashes.json")),
                new TokenizerFolders(new Home(home)), AppSettings.GenerationPreferences::defaults,
                new DeviceSelection(new Home(home)))) {
            Failure failure = assertThrows(Failure.Unreadable.class,
                    () -> generator.generate(request, List.of(1L), new RecordingListener() {
                        @Override
                        public void step(int done, int total) {
                            assertTrue(weights.toFile().setLastModified(1_000_000_000L * done));
                        }
                    }, () -> false));
            assertTrue(failure.getMessage().contains(weights + ": changed while it was in use"), failure.getMessage());
            RecordingListener listener = new RecordingListener();
            generator.generate(request, List.of(1L), listener, () -> false);
            assertEquals(1, listener.images.size());
        }
    }

    @Test
    void usesPreviewDecoder() throws Exception {
        RecordingListener listener = generate(Optional.of(Shared.own("goldens/taesd/decoder.safetensors")));
        assertEquals(64, listener.previews.getFirst().width());
        assertEquals(List.of(), listener.warnings);
    }

    @Test
    void unusablePreviewDecoderIsAWarning() throws Exception {
        RecordingListener listener = generate(Optional.of(Shared.own("goldens/taesd/golden.safetensors")));
        assertTrue(listener.warnings.getFirst().startsWith("The preview decoder cannot be used: "),
                listener.warnings.toString());
        assertEquals(2, listener.images.size());
    }
}
