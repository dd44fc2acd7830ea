package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhotoFoldersTest {
    @TempDir
    Path folder;

    private void add(String file) throws IOException {
        Path path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "");
    }

    private List<String> entries() throws Failure {
        return PhotoFolders.of(folder)
                .entries()
                .stream()
                .map(entry -> entry.repeats() + " " + folder.relativize(entry.folder()))
                .toList();
    }

    private List<String> skipped() throws Failure {
        return PhotoFolders.of(folder)
                .skipped()
                .stream()
                .map(each -> each.folder().getFileName() + ": " + each.reason())
                .toList();
    }

    @ParameterizedTest @CsvSource({"10_sks car, 10, sks, car", "3_ohwx  old  teapot, 3, ohwx, old teapot",
            "1_car, 1, car, ", "7_, 7, , ", "012_sks car, 12, sks, car"})
    void parsesKohyaFolderNames(String name, int repeats, String trigger, String className) {
        KohyaFolder read = KohyaFolder.of(Path.of("x", name)).orElseThrow();
        assertEquals(repeats, read.repeats());
        assertEquals(Optional.ofNullable(trigger), read.triggerWord());
        assertEquals(Optional.ofNullable(className), read.className());
    }

    @ParameterizedTest @CsvSource({"pictures", "2024_summer", "10 sks car", "_car", "x10_sks", "10"})
    void ignoresOtherFolderNames(String name) {
        assertEquals(Optional.empty(), KohyaFolder.of(Path.of(name)));
    }

    @Test
    void findsKohyaFoldersAndOwnPhotos() throws Exception {
        add("10_sks car/a.png");
        add("5_sks car/b.jpg");
        assertEquals(List.of("10 10_sks car", "5 5_sks car"), entries());
        add("c.png");
        add("more/d.png");
        assertEquals(List.of("1 ", "10 10_sks car", "5 5_sks car"), entries());
        assertEquals(
                List.of("more: not entered, because there are photos next to it or folders such as \"10_sks car\""),
                skipped());
    }

    @Test
    void usesOtherFoldersOnlyWithoutOtherPhotos() throws Exception {
        add("front/a.png");
        add("side/b.png");
        add("masks/a.png");
        add(".cache/c.png");
        add("notes/read.txt");
        assertEquals(List.of("1 front", "1 side"), entries());
        assertEquals(
                List.of("masks: not entered, because folders of this name hold masks, not photos",
                        "notes: has no photos"),
                skipped());
    }

    @Test
    void skipsFoldersWithoutRepeatsAndNamesNestedFolders() throws Exception {
        add("0_sks car/a.png");
        add("img/10_sks car/a.png");
        assertEquals(List.of("1 "), entries(), "the folder itself, which has no photos");
        assertEquals(List.of("0_sks car: skipped, because its name gives 0 repeats",
                "img: has no photos, but its subfolder 10_sks car has: choose " + folder.resolve("img")
                        + " itself to use them"),
                skipped());
    }

    @Test
    void parsesTheNameOfTheGivenFolder() throws Exception {
        add("10_sks car/a.png");
        PhotoFolders folders = PhotoFolders.of(folder.resolve("10_sks car"));
        assertEquals(Optional.of("sks"), folders.triggerWord());
        assertEquals(Optional.of("car"), folders.className());
    }

    @Test
    void rejectsFoldersOfSeveralSubjects() throws Exception {
        add("10_sks car/a.png");
        add("5_sks dog/b.png");
        PhotoFolders folders = PhotoFolders.of(folder);
        assertEquals(Optional.of("sks"), folders.triggerWord());
        String message = assertThrows(Failure.Incompatible.class, folders::className).getMessage();
        assertTrue(message.contains("\"10_sks car\" gives car, \"5_sks dog\" gives dog"), message);
    }
}
