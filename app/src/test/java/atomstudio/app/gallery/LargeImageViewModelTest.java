package atomstudio.app.gallery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.jobs.InlineJobs;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LargeImageViewModelTest {
    private static final Instant START = Instant.parse("2026-05-03T12:00:00Z");

    @TempDir
    Path folder;
    private final FakeDesktop desktop = new FakeDesktop();
    private final List<GalleryImage> base = new ArrayList<>();
    private final List<GalleryImage> trained = new ArrayList<>();
    private final List<String> actions = new ArrayList<>();
    private GalleryViewModel gallery;
    private LargeImageViewModel largeImage;

    @BeforeEach
    void createRows() throws Failure {
        InlineJobs jobs = new InlineJobs();
        gallery = new GalleryViewModel(jobs, new ImageStore(folder.resolve("images"), InstantSource.fixed(START)),
                (title, files, onChanged) -> actions.add("delete the " + title));
        for (int seed = 0; seed < 4; seed++) {
            base.add(save(seed, "", "base-" + seed));
            trained.add(save(seed, "car-lora", "trained-" + seed));
        }
        largeImage = new LargeImageViewModel(jobs, desktop, desktop, gallery, new LargeImageViewModel.ImageActions() {
            @Override
            public List<List<GalleryImage>> rows() {
                return List.of(base, trained);
            }

            @Override
            public void generateVariations(GalleryImage image) {
                actions.add("variations of " + image.title());
            }

            @Override
            public void useAsSource(GalleryImage image) {
                actions.add("source " + image.title());
            }

            @Override
            public void restoreSettings(GalleryImage image) {
                actions.add("settings of " + image.title());
            }
        });
    }

    private GalleryImage save(int seed, String run, String order) throws Failure {
        Infotext infotext = Infotext.of(run.isEmpty() ? "a car" : "a sks car", "")
                .withSteps(4)
                .withGuidanceScale(4)
                .withSeed(seed);
        GalleryImage image = gallery.store()
                .save(RgbImage.filled(4, 4, run.isEmpty() ? seed : 100 + seed), new ImageMetadata(infotext, List.of()),
                        new ImageTags(order, "base-" + seed, "car", run));
        gallery.add(image);
        return image;
    }

    private String title() {
        LargeImageViewModel.ShownImage shown = largeImage.shown().get();
        return shown == null ? "none" : shown.image().title();
    }

    @Test
    void moveRowKeepsSeed() {
        largeImage.open(base.get(1), base);
        largeImage.moveRow(1);
        assertEquals("car-lora · seed 1", title());
        largeImage.moveRow(1);
        assertEquals("car-lora · seed 1", title());
        largeImage.moveColumn(1);
        assertEquals("car-lora · seed 2", title(), "the arrow keys follow the row");
        largeImage.moveRow(-1);
        assertEquals("Base model · seed 2", title());
    }

    @Test
    void moveColumnStaysInTheRow() {
        largeImage.open(base.get(1), base);
        for (int i = 0; i < 9; i++) largeImage.moveColumn(1);
        assertEquals("Base model · seed 3", title());
        largeImage.moveColumn(-1);
        assertEquals("Base model · seed 2", title());
    }

    @Test
    void moveColumnFollowsTheStripAndItsFilter() {
        largeImage.open(trained.get(3));
        largeImage.moveColumn(1);
        assertEquals("Base model · seed 3", title(), "the next older image");
        gallery.filter(new GalleryFilter("sks", new GalleryFilter.Group.All()));
        largeImage.open(trained.get(3));
        largeImage.moveColumn(1);
        assertEquals("car-lora · seed 2", title());
    }

    @Test
    void comparesWithBaseOrWithThePreviousImage() {
        largeImage.open(trained.get(2), trained);
        assertEquals(base.get(2), largeImage.compared().get().image());
        assertEquals(RgbImage.filled(4, 4, 2), largeImage.compared().get().pixels());
        largeImage.open(base.get(0), base);
        assertNull(largeImage.compared().get());
        largeImage.moveColumn(1);
        assertEquals(base.get(0), largeImage.compared().get().image());
    }

    @Test
    void savedCopyContainsInfotextAndTags() throws Exception {
        desktop.saveTarget = folder.resolve("car.png");
        largeImage.open(base.get(1));
        largeImage.save();
        assertEquals("base-model-seed-1.png", desktop.lastSuggestedName);
        assertEquals("Saved to " + desktop.saveTarget, largeImage.message().get());
        assertEquals("a car",
                Infotext.parse(PngText.read(desktop.saveTarget).get(Infotext.PNG_KEYWORD)).prompt());
        assertTrue(PngText.read(desktop.saveTarget).get(ImageTags.PNG_KEYWORD).contains("base-1"));
    }

    @Test
    void saveFailureIsReported() throws Exception {
        Files.writeString(folder.resolve("file"), "not a folder");
        desktop.saveTarget = folder.resolve("file/car.png");
        largeImage.open(base.get(1));
        largeImage.save();
        assertTrue(largeImage.message().get().contains("cannot be written"), largeImage.message().get());
    }

    @Test
    void copiesSettingsAndImage() {
        largeImage.open(trained.get(3));
        largeImage.copySettings();
        assertTrue(desktop.copiedText.startsWith("a sks car"), desktop.copiedText);
        largeImage.copyImage();
        assertEquals(RgbImage.filled(4, 4, 103), desktop.copiedImage);
        largeImage.showInFolder();
        assertEquals(List.of(trained.get(3).file()), desktop.shownPaths);
    }

    @Test
    void actionsCloseTheImage() {
        largeImage.open(trained.get(0));
        largeImage.generateVariations();
        largeImage.open(base.get(0));
        largeImage.useAsSource();
        largeImage.open(base.get(1));
        largeImage.restoreSettings();
        assertEquals("none", title());
        assertEquals(List.of("variations of car-lora · seed 0", "source Base model · seed 0",
                "settings of Base model · seed 1"), actions);
    }

    @Test
    void deleteShowsTheNextImage() {
        largeImage.open(trained.get(3));
        largeImage.delete();
        assertEquals(List.of("delete the image car-lora · seed 3"), actions);
        assertEquals("Base model · seed 3", title());
        assertEquals(7, gallery.images().size());
    }

    @Test
    void closeHidesImage() {
        largeImage.open(base.get(0));
        largeImage.close();
        largeImage.moveRow(1);
        assertNull(largeImage.shown().get());
    }
}
