package atomstudio.app.gallery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.app.jobs.InlineJobs;
import atomstudio.app.jobs.ManualJobs;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.trash.Deletions;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GalleryViewModelTest {
    @TempDir
    Path home;
    private final InlineJobs jobs = new InlineJobs();
    private final NoticesViewModel notices = new NoticesViewModel();
    private Instant now = Instant.parse("2026-05-03T12:00:00Z");

    private GalleryViewModel gallery() {
        InstantSource clock = () -> now;
        Deletions deletions = new Deletions(jobs, new Trash(home.resolve("trash"), clock), notices);
        return new GalleryViewModel(jobs, new ImageStore(home.resolve("images"), clock), deletions::delete);
    }

    private GalleryImage save(GalleryViewModel gallery, String prompt, String subject, int seed) throws Exception {
        now = now.plus(Duration.ofHours(7));
        Infotext infotext = Infotext.of(prompt, "")
                .withSteps(4)
                .withGuidanceScale(4)
                .withSeed(seed)
                .withModel(subject.isEmpty() ? "sd15" : "small");
        GalleryImage image = gallery.store()
                .save(RgbImage.filled(8, 8, seed), new ImageMetadata(infotext,
                        List.of(new PngAttachment("style", new byte[] {1, 2}))),
                        new ImageTags("order-" + seed, "base-" + seed, subject, ""));
        gallery.add(image);
        return image;
    }

    private List<String> shown(GalleryViewModel gallery) {
        return gallery.shown().stream().map(image -> image.infotext().settings().get("Seed")).toList();
    }

    @Test
    void indexIsReadFromTheFiles() throws Exception {
        GalleryViewModel written = gallery();
        for (int seed = 0; seed < 6; seed++) save(written, "a car", "car", seed);
        GalleryViewModel read = gallery();
        read.load();
        assertEquals(List.copyOf(written.images()), List.copyOf(read.images()), "newest first, with all they record");
        assertEquals("", read.problem().get());
        assertEquals(RgbImage.filled(8, 8, 3), read.find("order-3").orElseThrow().read());
        assertEquals(1, PngAttachment.read(read.find("order-3").orElseThrow().file()).size());
    }

    @Test
    void damagedAndForeignFilesAreNamedAndOthersShown() throws Exception {
        GalleryViewModel gallery = gallery();
        GalleryImage good = save(gallery, "a car", "car", 1);
        Path folder = good.file().getParent();
        Files.writeString(folder.resolve("broken.png"), "not a PNG file");
        Files.writeString(folder.resolve("notes.txt"), "hello");
        PngWriter.write(folder.resolve("other-program.png"), RgbImage.filled(4, 4, 1),
                Map.of("parameters", "a red car\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512"));
        PngWriter.write(folder.resolve("edited.png"), RgbImage.filled(4, 4, 1), Map.of("atomstudio", "{\"order\":7"));
        gallery.load();
        assertEquals(3, gallery.images().size());
        assertTrue(gallery.problem().get().startsWith("2 files in the images folder cannot be shown: "),
                gallery.problem().get());
        assertTrue(gallery.problem().get().contains("broken.png: ")
                && gallery.problem().get().contains("notes.txt: is not an image"), gallery.problem().get());
        assertTrue(gallery.images().stream().anyMatch(image -> image.prompt().equals("a red car")));
    }

    @Test
    void filterCombinesGroupAndWords() throws Exception {
        GalleryViewModel gallery = gallery();
        save(gallery, "a sks car in the snow", "car", 1);
        save(gallery, "a sks car on the beach", "car", 2);
        save(gallery, "a sks owl in the snow", "owl", 3);
        save(gallery, "Snow on a mountain", "", 4);
        gallery.filter(new GalleryFilter("SNOW sks", new GalleryFilter.Group.All()));
        assertEquals(List.of("3", "1"), shown(gallery));
        gallery.filter(new GalleryFilter("snow", new GalleryFilter.Group.OfSubject("car")));
        assertEquals(List.of("1"), shown(gallery));
        gallery.filter(new GalleryFilter("", new GalleryFilter.Group.OfModel("sd15")));
        assertEquals(List.of("4"), shown(gallery));
        assertEquals(List.of("All images", "Starred", "car", "owl", "sd15", "small"),
                gallery.groups().stream().map(GalleryFilter.Group::title).toList());
    }

    @Test
    void damagedLineOfTheStarsKeepsTheOthers() throws Exception {
        GalleryViewModel gallery = gallery();
        gallery.load();
        gallery.toggleStar(save(gallery, "a car", "car", 1));
        Path stars = home.resolve("images/stars.txt");
        Files.write(stars, new byte[] {(byte) 0xff, 0, '\n'}, StandardOpenOption.APPEND);
        GalleryViewModel reopened = gallery();
        reopened.load();
        reopened.filter(new GalleryFilter("", new GalleryFilter.Group.Starred()));
        assertEquals(List.of("1"), shown(reopened));
    }

    @Test
    void unreadableStarsAreKeptBeside() throws Exception {
        Path memory = Path.of("/proc/self/mem");
        assumeTrue(Files.isRegularFile(memory), "skipped: no file that exists and cannot be read");
        Path stars = home.resolve("images/stars.txt");
        Files.createDirectories(stars.getParent());
        Files.createSymbolicLink(stars, memory);
        GalleryViewModel gallery = gallery();
        gallery.load();
        assertTrue(gallery.problem().get().contains("stars.txt"), gallery.problem().get());
        gallery.toggleStar(save(gallery, "a car", "car", 1));
        assertTrue(Files.isSymbolicLink(home.resolve("images/stars-unreadable.txt")));
        assertEquals(1, Files.readAllLines(stars).size());
    }

    @Test
    void starsAreKeptInTheFolder() throws Exception {
        GalleryViewModel gallery = gallery();
        GalleryImage first = save(gallery, "a car", "car", 1);
        save(gallery, "a car", "car", 2);
        gallery.toggleStar(first);
        assertEquals(Set.of(), gallery.starred().get(), "not before the others are known");
        gallery.load();
        gallery.toggleStar(first);
        GalleryViewModel reopened = gallery();
        reopened.load();
        reopened.filter(new GalleryFilter("", new GalleryFilter.Group.Starred()));
        assertEquals(List.of("1"), shown(reopened));
        reopened.toggleStar(first);
        assertEquals(List.of(), shown(reopened));
        assertEquals("", reopened.problem().get());
    }

    @Test
    void deletedImageReturnsWithUndo() throws Exception {
        GalleryViewModel gallery = gallery();
        GalleryImage image = save(gallery, "a car", "car", 7);
        save(gallery, "a car", "car", 8);
        gallery.delete(List.of(image));
        assertEquals(List.of("8"), shown(gallery));
        assertTrue(gallery.find("order-7").isEmpty());
        assertTrue(Files.notExists(image.file()));
        assertEquals("Deleted the image Base model · seed 7.", notices.notices().getFirst().text());
        notices.act(notices.notices().getFirst());
        assertEquals(List.of("8", "7"), shown(gallery));
        assertEquals(image, gallery.find("order-7").orElseThrow());
    }

    @Test
    void sameSecondAndSeedGiveTwoFiles() throws Exception {
        GalleryViewModel gallery = gallery();
        InstantSource clock = () -> now;
        ImageStore store = new ImageStore(home.resolve("images"), clock);
        ImageMetadata metadata = new ImageMetadata(Infotext.of("a", "").withSeed(1), List.of());
        GalleryImage first = store.save(RgbImage.filled(4, 4, 1), metadata, ImageTags.NONE);
        GalleryImage second = gallery.store().save(RgbImage.filled(4, 4, 2), metadata, ImageTags.NONE);
        assertEquals(RgbImage.filled(4, 4, 1), ImageFiles.read(first.file()));
        assertEquals(RgbImage.filled(4, 4, 2), ImageFiles.read(second.file()));
    }

    @Test
    void thumbnailsAreBoundedAndTheLatestRequestComesFirst() throws Exception {
        GalleryViewModel gallery = gallery();
        List<GalleryImage> images = new ArrayList<>();
        for (int seed = 0; seed < 5; seed++) images.add(save(gallery, "a car", "car", seed));
        ManualJobs manual = new ManualJobs();
        Thumbnails thumbnails = new Thumbnails(manual);
        List<Integer> delivered = new ArrayList<>();
        List<Thumbnails.Request> requests = new ArrayList<>();
        for (GalleryImage image : images)
            requests.add(thumbnails.request(image, pixels -> delivered.add(pixels.argb()[0] & 0xFF)));
        assertEquals(2, manual.pendingCount(), "two at a time");
        requests.get(3).cancel();
        manual.runAll();
        assertEquals(List.of(0, 1, 4, 2), delivered, "those scrolled past are read last or not at all");
        thumbnails.request(images.get(2), pixels -> delivered.add(-1));
        assertEquals(-1, delivered.getLast(), "at once from memory");
        Thumbnails bounded = new Thumbnails(jobs);
        for (int i = 0; i < bounded.maxKept() + 50; i++)
            bounded.request(new GalleryImage(Path.of("/" + i), now, ImageTags.NONE, images.getFirst().infotext(),
                    Optional.of(RgbImage.filled(4, 4, i))), pixels -> {});
        assertEquals(bounded.maxKept(), bounded.keptCount());
    }
}
