package atomstudio.tuning.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.file.CompletionMarker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchLibrariesTest {
    @TempDir
    private Path natives;

    private Path version(String name) throws Exception {
        Path version = Files.createDirectories(natives.resolve("pytorch").resolve(name));
        Files.writeString(version.resolve("libtorch.so"), "library".repeat(1000));
        return version;
    }

    @Test
    void keepsCompleteFoldersWithoutChecksum() throws Exception {
        Path version = version("2.7.1");
        CompletionMarker.write(version);
        TorchLibraries.removeDamaged(natives.resolve("pytorch"));
        assertTrue(Files.exists(version));
        Files.setLastModifiedTime(version.resolve("libtorch.so"), FileTime.fromMillis(1000));
        TorchLibraries.removeDamaged(natives.resolve("pytorch"));
        assertTrue(Files.exists(version), "only its time differs");
    }

    @Test
    void removesDamagedAndUnmarkedFolders() throws Exception {
        Path whole = version("whole");
        Path truncated = version("truncated");
        Path altered = version("altered");
        Path missing = version("missing");
        for (Path version : List.of(whole, truncated, altered, missing)) CompletionMarker.write(version);
        Path unmarked = version("unmarked");
        Files.writeString(truncated.resolve("libtorch.so"), "library");
        Files.writeString(altered.resolve("libtorch.so"), "librarx".repeat(1000));
        Files.setLastModifiedTime(altered.resolve("libtorch.so"), FileTime.fromMillis(1000));
        Files.delete(missing.resolve("libtorch.so"));
        TorchLibraries.removeDamaged(natives.resolve("pytorch"));
        assertTrue(Files.exists(whole.resolve("libtorch.so")));
        for (Path gone : List.of(truncated, altered, missing, unmarked))
            assertFalse(Files.exists(gone), gone::toString);
        try (Stream<Path> left = Files.list(natives)) {
            assertEquals(1, left.count());
        }
    }
}
