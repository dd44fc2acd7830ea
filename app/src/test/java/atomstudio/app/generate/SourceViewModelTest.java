package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.dataset.Subject;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceImage;
import atomstudio.app.generate.PaintedMask.BrushMode;
import atomstudio.app.generate.PaintedMask.BrushTip;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.image.Mask;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import javafx.beans.property.SimpleObjectProperty;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourceViewModelTest {
    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeRowGenerator generator = new FakeRowGenerator();
    @TempDir
    Path home;
    private GenerateViewModel generate;
    private SourceViewModel source;
    private NoticesViewModel notices;

    @BeforeEach
    void createViewModels() {
        GenerateViewModel.GenerationServices services = GenerateViewModelTest.generationServices(new InlineJobs(), home,
                generator, desktop);
        notices = services.notices();
        generate = new GenerateViewModel(new InlineJobs(), services,
                InstantSource.fixed(Instant.EPOCH),
                new SimpleObjectProperty<@Nullable ModelSummary>(new ModelSummary(Path.of("/model"), "Small",
                        ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128), 1000, List.of())),
                new SimpleObjectProperty<@Nullable Subject>());
        source = generate.source();
    }

    @Test
    void imageToImageUsesPaintedMask() {
        desktop.images = List.of(Shared.root().resolve("assets/subjects/car/00.png"));
        source.chooseImage();
        source.startPainting();
        SourceImage given = source.painting().get();
        assertNotNull(given);
        PaintedMask canvas = PaintedMask.of(given.image(), given.mask(), 256);
        canvas.stroke(128, 40, 128, 200, new BrushTip(20, BrushMode.PAINT));
        source.finishPainting(canvas.toMask());
        source.setDenoisingStrength(0.6);
        assertNull(source.painting().get());
        assertTrue(generate.settings().get().summary().contains("img2img: 00.png, masked · denoising 0.6"),
                generate.settings().get().summary());
        generate.generate();
        Generation generation = generator.requests.getFirst().generation(1, List.of());
        Source.FromImage from = (Source.FromImage) generation.source();
        assertEquals(0.6, from.denoisingStrength());
        Mask mask = from.mask().orElseThrow().cropAndResize(128, 128);
        assertTrue(mask.isInpainted(64, 60));
        assertFalse(mask.isInpainted(20, 60));
        source.removeImage();
        assertTrue(generate.row().cells().getFirst().isStale());
    }

    @Test
    void removedSourceAndMaskComeBackWithUndo() {
        source.setImage("car.png", RgbImage.filled(100, 50, 0));
        PaintedMask canvas = PaintedMask.of(RgbImage.filled(100, 50, 0), Optional.empty(), 64);
        canvas.stroke(10, 10, 50, 10, new BrushTip(6, BrushMode.PAINT));
        source.finishPainting(canvas.toMask());
        Optional<SourceImage> masked = generate.settings().get().source().image();
        source.removeMask();
        assertEquals(Optional.empty(), generate.settings().get().source().image().orElseThrow().mask());
        assertEquals("Removed the mask of car.png.", notices.notices().getFirst().text());
        notices.undo();
        assertEquals(masked, generate.settings().get().source().image());
        source.finishPainting(Optional.empty());
        notices.undo();
        assertEquals(masked, generate.settings().get().source().image());
        source.removeImage();
        assertEquals(Optional.empty(), generate.settings().get().source().image());
        assertEquals("Removed the source image car.png.", notices.notices().getFirst().text());
        notices.undo();
        assertEquals(masked, generate.settings().get().source().image());
        assertEquals(List.of(), notices.notices());
    }

    @Test
    void erasedMaskIsEmpty() {
        PaintedMask canvas = PaintedMask.of(RgbImage.filled(100, 50, 0), Optional.empty(), 64);
        assertEquals("64x32", canvas.width() + "x" + canvas.height());
        canvas.stroke(10, 10, 50, 10, new BrushTip(6, BrushMode.PAINT));
        assertTrue(canvas.isPainted(30, 10));
        PaintedMask copy = PaintedMask.of(RgbImage.filled(100, 50, 0), canvas.toMask(), 64);
        assertTrue(copy.isPainted(30, 10));
        copy.stroke(0, 10, 63, 10, new BrushTip(12, BrushMode.ERASE));
        assertEquals(Optional.empty(), copy.toMask());
        canvas.clear();
        assertEquals(Optional.empty(), canvas.toMask());
    }

    @Test
    void unreadableImageIsReported() {
        desktop.images = List.of(Path.of("/nowhere.png"));
        source.chooseImage();
        assertTrue(source.problem().get().contains("nowhere.png"), source.problem().get());
        assertEquals(Optional.empty(), generate.settings().get().source().image());
    }

    @Test
    void addedAdaptersApplyToEveryRow() {
        desktop.adapters = List.of(Path.of("/a.safetensors"), Path.of("/b.safetensors"));
        generate.adapters().chooseFiles();
        generate.adapters().chooseFiles();
        generate.adapters().setWeight(Path.of("/b.safetensors"), 0.5);
        generate.adapters().remove(Path.of("/a.safetensors"));
        generate.generate();
        assertEquals(List.of(new SelectedAdapter(Path.of("/b.safetensors"), 0.5)),
                generator.requests.getFirst().adapters());
    }

    @Test
    void removedAdapterComesBackInItsPlaceWithUndo() {
        List<SelectedAdapter> adapters = List.of(new SelectedAdapter(Path.of("/a.safetensors"), 0.3),
                new SelectedAdapter(Path.of("/b.safetensors"), 0.5));
        generate.updateSettings(now -> now.withAdapters(adapters));
        generate.adapters().remove(Path.of("/a.safetensors"));
        assertEquals(adapters.subList(1, 2), generate.adapters().selected());
        assertEquals("Removed the adapter a.", notices.notices().getLast().text());
        notices.undo();
        assertEquals(adapters, generate.adapters().selected());
    }

    @Test
    void allSettingsReachGeneration() {
        ImageSettings settings = generate.settings().get();
        ImageSettings.SamplerSettings sampling = settings.sampling()
                .with(SamplerName.DDIM)
                .with(ScheduleName.KARRAS)
                .withEta(0.5)
                .with(new Guidance(6, 0.7))
                .withClipSkip(2)
                .withSteps(11);
        generate.settings(settings.withSampling(sampling));
        source.setHiresScale(OptionalDouble.of(1.5));
        generate.generate();
        Generation generation = generator.requests.getFirst().generation(9, List.of());
        assertEquals(ScheduleName.KARRAS, generation.settings().sampling().schedule());
        assertEquals(OptionalDouble.of(0.5), generation.settings().sampling().eta());
        assertEquals(new Guidance(6, 0.7), generation.settings().guidance());
        assertEquals(2, generation.settings().clipSkip());
        assertEquals(1.5, generation.hires().orElseThrow().scale());
        assertEquals(
                "seeds 0–3 · DDIM Karras · 11 steps · guidance 6.0 · eta 0.5 · rescale 0.7 · clip skip 2 · 128 × 128"
                        + " · hires ×1.5 · denoising 0.75",
                generate.settings().get().summary());
    }

    @Test
    void changedSamplerDropsUnsupportedSettings() {
        ImageSettings.SamplerSettings sampling = generate.settings()
                .get()
                .sampling()
                .with(SamplerName.DDIM)
                .with(ScheduleName.KARRAS)
                .withEta(0.5)
                .with(SamplerName.PNDM);
        assertEquals(ScheduleName.AUTOMATIC, sampling.schedule());
        assertEquals(OptionalDouble.empty(), sampling.eta());
    }
}
