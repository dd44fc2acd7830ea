package atomstudio.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
    @TempDir
    Path folder;

    private Path add(String name) throws IOException {
        return Files.writeString(folder.resolve(name), name);
    }

    @Test
    void listsImagesByNameAndCountsOtherFiles() throws IOException, Failure {
        Path second = add("b.JPEG");
        Path first = add("a.tif");
        Path third = add("c.WebP");
        add("notes.txt");
        add(".hidden.png");
        add("no-extension");
        Files.createDirectory(folder.resolve("more.png"));
        ImageFolder list = ImageFolder.list(folder);
        assertEquals(List.of(first, second, third), list.images());
        assertEquals(Optional.of("skipped 3 files that are not images"), list.skippedMessage());
    }

    @Test
    void skippedMessageIsEmptyIfNothingWasSkipped() throws IOException, Failure {
        add("a.png");
        assertEquals(Optional.empty(), ImageFolder.list(folder).skippedMessage());
        add("a.txt");
        assertEquals(Optional.of("skipped 1 file that is not an image"), ImageFolder.list(folder).skippedMessage());
    }

    @Test
    void acceptsSingleImageFile() throws IOException, Failure {
        Path only = add("only.gif");
        add("other.gif");
        assertEquals(List.of(only), ImageFolder.list(only).images());
        Path text = add("only.txt");
        assertThrows(Failure.Unreadable.class, () -> ImageFolder.list(text));
    }

    @Test
    void rejectsHeicWithInstructions() throws IOException {
        add("a.png");
        add("IMG_0001.HEIC");
        String message = assertThrows(Failure.Unreadable.class, () -> ImageFolder.list(folder)).getMessage();
        assertTrue(message.contains("IMG_0001.HEIC") && message.contains("Export it as JPEG"), message);
    }

    @Test
    void rejectsFolderWithoutImages() throws IOException {
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFolder.list(folder)).getMessage()
                .contains("an empty folder"));
        add("a.txt");
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ImageFolder.list(folder)).getMessage()
                .contains("1 file of other kinds"));
        assertThrows(Failure.Unreadable.class, () -> ImageFolder.list(folder.resolve("missing")));
    }

    @Test
    void hashesDependOnContentOnly() throws IOException, Failure {
        Path one = Files.writeString(folder.resolve("one.png"), "abc");
        Path copy = Files.copy(one, folder.resolve("copy.png"));
        assertEquals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Sha256.of(one));
        assertEquals(Sha256.of(one), Sha256.of(copy));
        assertNotEquals(Sha256.of(one), Sha256.of(add("three.png")));
    }
}
