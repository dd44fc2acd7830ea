package atomstudio.app.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubjectStoreTest {
    @TempDir
    Path folder;
    private SubjectStore store;
    private Path good;
    private Path bad;

    @BeforeEach
    void createFiles() throws Exception {
        store = new SubjectStore(folder.resolve("subjects"), new PhotoFinder.DiskPhotoFinder());
        good = folder.resolve("in/good.png");
        bad = folder.resolve("in/notes.txt");
        PngWriter.write(good, RgbImage.filled(20, 10, 0x336699), Map.of());
        Files.writeString(bad, "not an image");
    }

    @Test
    void subjectKeepsCopiesOfPhotos() throws Exception {
        SubjectStore.ImportResult imported = store.create("car", "car", List.of(good), () -> false);
        assertEquals(1, imported.addedCount());
        Files.delete(good);
        assertEquals(List.of("good.png"), names(store.list().getFirst()));
    }

    @Test
    void rejectsNonImageAndKeepsPhotos() throws Exception {
        SubjectStore.ImportResult imported = store.create("car", "", List.of(bad, good), () -> false);
        assertEquals(List.of("good.png"), names(imported.subject()));
        assertEquals("notes.txt", imported.rejected().getFirst().file());
        assertTrue(imported.rejected().getFirst().message().startsWith("notes.txt: expected a JPEG"),
                imported.rejected().getFirst().message());
    }

    @Test
    void rejectsDamagedImage() throws Exception {
        Path cut = folder.resolve("in/cut.png");
        Files.write(cut, java.util.Arrays.copyOf(Files.readAllBytes(good), 40));
        SubjectStore.ImportResult imported = store.create("car", "", List.of(good, cut), () -> false);
        assertEquals(List.of("good.png"), names(imported.subject()));
        assertEquals(List.of("cut.png"), imported.rejected().stream().map(SubjectStore.RejectedFile::file).toList());
    }

    @Test
    void noPhotosCreateNothing() throws Exception {
        SubjectStore.ImportResult imported = store.create("car", "", List.of(bad), () -> false);
        assertEquals(0, imported.addedCount());
        assertEquals(List.of(), store.list());
        assertFalse(Files.exists(folder.resolve("subjects/car")));
    }

    @Test
    void folderImportReportsSkippedFiles() throws Exception {
        Files.writeString(folder.resolve("in/.hidden"), "");
        SubjectStore.ImportResult imported = store.create("car", "", List.of(folder.resolve("in")), () -> false);
        assertEquals(List.of("good.png"), names(imported.subject()));
        assertEquals(List.of("notes.txt: not an image – skipped"),
                imported.rejected().stream().map(SubjectStore.RejectedFile::message).toList());
    }

    private Path photo(String file) throws Exception {
        Path path = folder.resolve(file);
        PngWriter.write(path, RgbImage.filled(20, 10, 0x336699), Map.of());
        return path;
    }

    @Test
    void kohyaLayoutProvidesWordsAndRepeats() throws Exception {
        photo("set/10_sks car/a.png");
        photo("set/5_sks car/a.png");
        Files.writeString(folder.resolve("set/5_sks car/a.txt"), "a {} at night");
        Files.createDirectory(folder.resolve("set/log"));
        SubjectStore.ImportResult imported = store.create("set", "", List.of(folder.resolve("set")), () -> false);
        Subject subject = imported.subject();
        assertEquals("sks car", subject.promptPhrase());
        assertEquals(List.of("10_sks car/a.png", "5_sks car/a.png"),
                subject.photos()
                        .stream()
                        .map(file -> subject.photoFolder().relativize(file).toString().replace('\\', '/'))
                        .toList());
        assertEquals(List.of(subject.photoFolder().resolve("5_sks car/a.txt")), subject.sidecarFiles());
        assertEquals(List.of("log: has no photos"),
                imported.rejected().stream().map(SubjectStore.RejectedFile::message).toList());
        Subject more = store.add(subject, List.of(good), () -> false).subject();
        assertEquals(3, more.photos().size(), "photos next to the folders");
        store.remove(more, subject.photoFolder().resolve("5_sks car/a.png"), trash());
        Subject less = store.read(more);
        assertEquals(2, less.photos().size());
        assertFalse(Files.exists(subject.photoFolder().resolve("5_sks car")));
    }

    @Test
    void classWordOverridesFolderNames() throws Exception {
        photo("set/10_sks car/a.png");
        photo("set/5_sks dog/b.png");
        assertEquals("cat",
                store.create("set", "cat", List.of(folder.resolve("set")), () -> false).subject().className());
        String message = assertThrows(Failure.Incompatible.class,
                () -> store.create("other", "", List.of(folder.resolve("set")), () -> false)).getMessage();
        assertTrue(message.contains("5_sks dog"), message);
    }

    @Test
    void importsPhotosOfOtherSubfolders() throws Exception {
        photo("set/front/a.png");
        photo("set/side/a.png");
        assertEquals(List.of("a.png", "a-2.png").stream().sorted().toList(),
                names(store.create("set", "", List.of(folder.resolve("set")), () -> false).subject()).stream()
                        .sorted()
                        .toList());
    }

    @Test
    void importsMasksNamedByOtherPrograms() throws Exception {
        for (String name : List.of("good-masklabel.png", "good_mask.jpg", "good.mask.webp", "good-condlabel.png",
                "boat_mask.png"))
            Files.copy(good, folder.resolve("in/" + name));
        SubjectStore.ImportResult imported = store.create("car", "", List.of(folder.resolve("in")), () -> false);
        assertEquals(List.of("good.png"), names(imported.subject()));
        assertEquals(
                List.of("boat_mask.png: mask without its image – skipped", "notes.txt: not an image – skipped"),
                imported.rejected().stream().map(SubjectStore.RejectedFile::message).toList());
        assertTrue(Files.exists(imported.subject().photoFolder().resolve("good.mask.webp")));
    }

    @Test
    void importsCaptionsAndMasks() throws Exception {
        Files.writeString(folder.resolve("in/good.txt"), "{} on a table");
        PngWriter.write(folder.resolve("in/good-mask.png"), RgbImage.filled(20, 10, 0xFFFFFF), Map.of());
        PngWriter.write(folder.resolve("in/stray-mask.png"), RgbImage.filled(20, 10, 0xFFFFFF), Map.of());
        SubjectStore.ImportResult imported = store.create("car", "car", List.of(folder.resolve("in")), () -> false);
        assertEquals(List.of("good.png"), names(imported.subject()));
        assertEquals("1 photo · 1 caption · 1 mask", imported.subject().summary());
        assertEquals(List.of("stray-mask.png", "notes.txt"),
                imported.rejected().stream().map(SubjectStore.RejectedFile::file).toList());
        // Captions and masks follow the new name of a renamed copy.
        Subject twice = store.add(imported.subject(), List.of(good), () -> false).subject();
        assertEquals("2 photos · 2 captions · 2 masks", twice.summary());
        assertTrue(Files.exists(twice.photoFolder().resolve("good-2-mask.png")));
        Trash.Entry removed = store.remove(twice, twice.photoFolder().resolve("good-2.png"), trash());
        Subject less = store.read(twice);
        assertEquals("1 photo · 1 caption · 1 mask", less.summary());
        trash().restore(removed);
        assertEquals("2 photos · 2 captions · 2 masks", store.read(twice).summary());
    }

    private Trash trash() {
        return new Trash(folder.resolve("trash"), InstantSource.system());
    }

    @Test
    void importsCaptionForExistingPhoto() throws Exception {
        Subject subject = store.create("car", "car", List.of(good), () -> false).subject();
        Path caption = folder.resolve("later/good.txt");
        Files.createDirectories(caption.getParent());
        Files.writeString(caption, "{} in a street");
        SubjectStore.ImportResult imported = store.add(subject, List.of(caption), () -> false);
        assertEquals(List.of(), imported.rejected());
        assertEquals("1 photo · 1 caption", imported.subject().summary());
        assertEquals("{} in a street", Files.readString(subject.photoFolder().resolve("good.txt")));
    }

    @Test
    void equalNamesAreNumbered() throws Exception {
        Path other = folder.resolve("other/good.png");
        PngWriter.write(other, RgbImage.filled(5, 5, 0xFF0000), Map.of());
        Subject first = store.create("car", "", List.of(good, other), () -> false).subject();
        Subject second = store.create("car", "", List.of(good), () -> false).subject();
        assertEquals(List.of("good-2.png", "good.png"), names(first));
        assertEquals("car-2", second.name());
        assertEquals(2, store.list().size());
    }

    @Test
    void savedWordsAreReadBack() throws Exception {
        Subject subject = store.create("my: car/1", "", List.of(good), () -> false).subject();
        assertEquals("my- car-1", subject.name());
        store.save(subject.with("véhicule", "zwx"));
        Subject read = store.list().getFirst();
        assertEquals("zwx véhicule", read.promptPhrase());
    }

    @Test
    void removeDeletesOnlyTheCopy() throws Exception {
        Subject subject = store.create("car", "", List.of(good), () -> false).subject();
        store.remove(subject, subject.photos().getFirst(), trash());
        assertEquals(List.of(), store.read(subject).photos());
        assertTrue(Files.exists(good));
    }

    @Test
    void skipsDamagedSubject() throws Exception {
        store.create("car", "", List.of(good), () -> false);
        Path damaged = folder.resolve("subjects/owl/subject.json");
        Files.createDirectories(damaged.getParent());
        Files.writeString(damaged, "{");
        assertEquals(List.of("car"), store.list().stream().map(Subject::name).toList());
        assertEquals("{", Files.readString(damaged));
    }

    private static List<String> names(Subject subject) throws IOException, Failure {
        return subject.photos().stream().map(path -> path.getFileName().toString()).toList();
    }
}
