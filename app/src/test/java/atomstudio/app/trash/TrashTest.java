package atomstudio.app.trash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrashTest {
    @TempDir
    Path home;
    private Trash trash;

    @BeforeEach
    void open() {
        trash = new Trash(home.resolve("trash"), InstantSource.fixed(Instant.parse("2026-05-03T12:00:00Z")));
    }

    private Path file(String name, String text) throws Exception {
        Path file = home.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    @Test
    void filesAndFoldersAreRestoredToTheirPlaces() throws Exception {
        Path weights = file("runs/car-lora/adapter/adapter.safetensors", "weights");
        Path photo = file("subjects/car/pictures/a.png", "photo");
        trash.move("subject car", List.of(home.resolve("runs/car-lora"), photo));
        assertFalse(Files.exists(home.resolve("runs/car-lora")));
        assertFalse(Files.exists(photo));
        Trash.Entry entry = trash.list().getFirst();
        assertEquals("subject car", entry.title());
        assertEquals(12, trash.size() - Files.size(entry.folder().resolve("trash.json")));
        trash.restore(entry);
        assertEquals("weights", Files.readString(weights));
        assertEquals("photo", Files.readString(photo));
        assertEquals(List.of(), trash.list());
    }

    @Test
    void entriesOfTheSameSecondAreSeparateAndNewestFirst() throws Exception {
        trash.move("photo a.png", List.of(file("a.png", "first")));
        trash.move("photo a.png", List.of(file("a.png", "second")));
        assertEquals(2, trash.list().size());
        trash.restore(trash.list().getFirst());
        assertEquals("second", Files.readString(home.resolve("a.png")));
    }

    @Test
    void existingFileIsNotOverwritten() throws Exception {
        Path photo = file("a.png", "old");
        Trash.Entry entry = trash.move("photo a.png", List.of(photo));
        Files.writeString(photo, "new");
        Failure.Conflict failure = assertThrows(Failure.Conflict.class, () -> trash.restore(entry));
        assertTrue(failure.getMessage().startsWith("The photo a.png stays in the trash: " + photo),
                failure.getMessage());
        assertEquals("new", Files.readString(photo));
        assertEquals(1, trash.list().size());
    }

    @Test
    void folderWhoseNameIsTakenGetsANumber() throws Exception {
        file("runs/car-lora/run.json", "old");
        Trash.Entry entry = trash.move("run car-lora", List.of(home.resolve("runs/car-lora")));
        file("runs/car-lora/run.json", "new");
        assertEquals(List.of(home.resolve("runs/car-lora-2")), trash.restore(entry));
        assertEquals("old", Files.readString(home.resolve("runs/car-lora-2/run.json")));
    }

    @Test
    void failedDeletionLeavesEverythingInPlace() throws Exception {
        Path photo = file("a.png", "photo");
        assertThrows(Failure.Unwritable.class,
                () -> trash.move("photo a.png", List.of(photo, home.resolve("missing.txt"))));
        assertEquals("photo", Files.readString(photo));
        assertEquals(List.of(), trash.list());
    }

    @Test
    void onlyFilesOfTheHomeAreMoved(@TempDir Path elsewhere) throws Exception {
        Path file = Files.writeString(elsewhere.resolve("a.png"), "mine");
        for (Path other : List.of(file, home, home.resolve("trash")))
            assertThrows(IllegalArgumentException.class, () -> trash.move("file", List.of(other)), other.toString());
        assertTrue(Files.exists(file));
    }

    @Test
    void movedHomeKeepsItsEntries(@TempDir Path other) throws Exception {
        trash.move("photo a.png", List.of(file("subjects/car/a.png", "photo")));
        Path moved = other.resolve("home");
        Files.move(home.resolve("trash"), Files.createDirectories(moved).resolve("trash"));
        Trash movedTrash = new Trash(moved.resolve("trash"), InstantSource.system());
        movedTrash.restore(movedTrash.list().getFirst());
        assertEquals("photo", Files.readString(moved.resolve("subjects/car/a.png")));
    }

    @Test
    void entryThatNamesAPlaceOutsideTheHomeIsSkipped() throws Exception {
        Trash.Entry entry = trash.move("photo a.png", List.of(file("a.png", "photo")));
        Files.writeString(entry.folder().resolve("trash.json"),
                "{\"format\":1,\"title\":\"x\",\"deleted\":\"2026-05-03T12:00:00Z\",\"origins\":[\"../../a.png\"]}");
        assertEquals(List.of(), trash.list());
    }

    @Test
    void emptyingDeletesAll() throws Exception {
        trash.move("photo a.png", List.of(file("a.png", "photo")));
        trash.empty();
        assertEquals(List.of(), trash.list());
        assertEquals(0, trash.size());
    }
}
