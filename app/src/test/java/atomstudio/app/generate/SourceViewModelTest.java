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
import org.junit.jupiter.api.Test;

class SourceViewModelTest {
    private final FakeDesktop desktop = new FakeDesktop();
    private final FakeRowGenerator maker = new FakeRowGenerator();
    private final GenerateViewModel galleries = new GenerateViewModel(new InlineJobs(),
            new GenerateViewModel.GenerationServices(maker, (question, cancellation) -> Optional.empty(), desktop),
            InstantSource.fixed(Instant.EPOCH),
            new SimpleObjectProperty<@Nullable ModelSummary>(
                    new ModelSummary(Path.of("/model"), "Small", ModelSummary.Origin.BUILT_IN, 128, 1000, List.of())),
            new SimpleObjectProperty<@Nullable Subject>());
    private final SourceViewModel source = galleries.source();

    @Test
    void picturesStartFromAPictureWithinWhatWasPainted() {
        desktop.pictures = List.of(Shared.root().resolve("assets/subjects/car/00.png"));
        source.chooseImage();
        source.startPainting();
        SourceImage given = source.painting().get();
        assertNotNull(given);
        PaintedMask sheet = PaintedMask.of(given.image(), given.mask(), 256);
        sheet.stroke(128, 40, 128, 200, new BrushTip(20, BrushMode.PAINT));
        source.finishPainting(sheet.toMask());
        source.setDenoisingStrength(0.6);
        assertNull(source.painting().get());
        assertTrue(galleries.settings().get().summary().contains("from 00.png within a mask · denoise 0.60"),
                galleries.settings().get().summary());
        galleries.generate();
        Generation made = maker.orders.getFirst().generation(1, List.of());
        Source.FromImage from = (Source.FromImage) made.source();
        assertEquals(0.6, from.denoisingStrength());
        Mask mask = from.mask().orElseThrow().cropAndResize(128, 128);
        assertTrue(mask.isInpainted(64, 60));
        assertFalse(mask.isInpainted(20, 60));
        source.removeImage();
        assertTrue(galleries.rows().getFirst().stale().get());
    }

    @Test
    void theBrushErasesAndAMaskWithNothingPaintedIsNone() {
        PaintedMask sheet = PaintedMask.of(RgbImage.filled(100, 50, 0), Optional.empty(), 64);
        assertEquals("64x32", sheet.width() + "x" + sheet.height());
        sheet.stroke(10, 10, 50, 10, new BrushTip(6, BrushMode.PAINT));
        assertTrue(sheet.isPainted(30, 10));
        PaintedMask again = PaintedMask.of(RgbImage.filled(100, 50, 0), sheet.toMask(), 64);
        assertTrue(again.isPainted(30, 10));
        again.stroke(0, 10, 63, 10, new BrushTip(12, BrushMode.ERASE));
        assertEquals(Optional.empty(), again.toMask());
        sheet.clear();
        assertEquals(Optional.empty(), sheet.toMask());
    }

    @Test
    void aPictureThatCannotBeReadSaysSoAndChangesNothing() {
        desktop.pictures = List.of(Path.of("/nowhere.png"));
        source.chooseImage();
        assertTrue(source.problem().get().contains("nowhere.png"), source.problem().get());
        assertEquals(Optional.empty(), galleries.settings().get().source().image());
    }

    @Test
    void adaptersAreWornByEveryRowEachWithItsStrength() {
        desktop.adapters = List.of(Path.of("/a.safetensors"), Path.of("/b.safetensors"));
        source.chooseAdapters();
        source.chooseAdapters();
        source.setAdapterWeight(Path.of("/b.safetensors"), 0.5);
        source.removeAdapter(Path.of("/a.safetensors"));
        galleries.generate();
        assertEquals(List.of(new SelectedAdapter(Path.of("/b.safetensors"), 0.5)), maker.orders.getFirst().adapters());
    }

    @Test
    void allThatIsChosenReachesTheGeneration() {
        ImageSettings settings = galleries.settings().get();
        ImageSettings.SamplerSettings way = settings.sampling()
                .with(SamplerName.DDIM)
                .with(ScheduleName.KARRAS)
                .withEta(0.5)
                .with(new Guidance(6, 0.7))
                .withClipSkip(2)
                .withSteps(11);
        galleries.settings(settings.withSampling(way));
        source.setHiresScale(OptionalDouble.of(1.5));
        galleries.generate();
        Generation made = maker.orders.getFirst().generation(9, List.of());
        assertEquals(ScheduleName.KARRAS, made.settings().sampling().schedule());
        assertEquals(OptionalDouble.of(0.5), made.settings().sampling().eta());
        assertEquals(new Guidance(6, 0.7), made.settings().guidance());
        assertEquals(2, made.settings().clipSkip());
        assertEquals(1.5, made.hires().orElseThrow().scale());
        assertEquals(
                "seeds 0–3 · DDIM Karras · 11 steps · guidance 6.0 · eta 0.5 · rescale 0.7 · clip skip 2 · 128 × 128 · then × 1.5 · denoise 0.75",
                galleries.settings().get().summary());
    }

    @Test
    void anotherSamplerKeepsOnlyWhatItTakes() {
        ImageSettings.SamplerSettings way = galleries.settings()
                .get()
                .sampling()
                .with(SamplerName.DDIM)
                .with(ScheduleName.KARRAS)
                .withEta(0.5)
                .with(SamplerName.PNDM);
        assertEquals(ScheduleName.AUTOMATIC, way.schedule());
        assertEquals(OptionalDouble.empty(), way.eta());
    }
}
