package atomstudio.diffusion.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    private Path folder;

    private static void write(Path file, String text) throws Failure {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void concurrentWritersLeaveOneCompleteFile() throws Exception {
        Path file = folder.resolve("file");
        List<Callable<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String text = String.valueOf((char) ('a' + i)).repeat(100_000 + i);
            writers.add(() -> {
                for (int k = 0; k < 10; k++) write(file, text);
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(writers.size())) {
            for (Future<Void> each : threads.invokeAll(writers)) each.get();
        }
        String content = Files.readString(file);
        assertEquals(String.valueOf(content.charAt(0)).repeat(100_000 + content.charAt(0) - 'a'), content);
        assertEquals(List.of("file"), names());
    }

    @Test
    void failingContentWriterKeepsOldFileAndLeavesNoTemporaryFile() throws Exception {
        Path file = folder.resolve("file");
        write(file, "old");
        for (RuntimeException thrown : List.of(new IllegalStateException("half"),
                new UncheckedIOException(new IOException("half")))) {
            assertEquals(thrown, assertThrows(RuntimeException.class, () -> AtomicFile.write(file, out -> {
                out.write(new byte[1 << 20]);
                throw thrown;
            })));
        }
        assertThrows(StackOverflowError.class, () -> AtomicFile.write(file, out -> {
            throw new StackOverflowError();
        }));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("file"), names());
    }

    @Test @DisabledOnOs(OS.WINDOWS)
    void replacesTargetOfSymbolicLink() throws Exception {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Path file = Files.writeString(elsewhere.resolve("file"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("elsewhere/file"));
        Path second = Files.createSymbolicLink(folder.resolve("second"), link);
        write(second, "new");
        assertTrue(Files.isSymbolicLink(second) && Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(file));
        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), elsewhere.resolve("made"));
        write(dangling, "made");
        assertTrue(Files.isSymbolicLink(dangling));
        assertEquals("made", Files.readString(elsewhere.resolve("made")));
        Files.createSymbolicLink(folder.resolve("round"), folder.resolve("and"));
        Files.createSymbolicLink(folder.resolve("and"), folder.resolve("round"));
        assertTrue(assertThrows(Failure.Unwritable.class, () -> write(folder.resolve("round"), "")).getMessage()
                .contains("circular"));
    }

    @Test @DisabledOnOs(OS.WINDOWS)
    void refusesToReplacePipesAndFolders() throws Exception {
        assumeTrue(new ProcessBuilder("mkfifo", folder.resolve("pipe").toString()).start().waitFor() == 0,
                "skipped: no mkfifo");
        assertTrue(assertThrows(Failure.Unwritable.class, () -> write(folder.resolve("pipe"), "")).getMessage()
                .contains("pipe"));
        assertFalse(Files.isRegularFile(folder.resolve("pipe")));
        assertTrue(assertThrows(Failure.Unwritable.class, () -> write(folder, "")).getMessage()
                .contains("found a folder"));
        Files.writeString(folder.resolve("file"), "");
        assertTrue(assertThrows(Failure.Unwritable.class, () -> write(folder.resolve("file/inside"), "")).getMessage()
                .contains("file is not a folder"));
    }

    @Test @DisabledOnOs(OS.WINDOWS)
    void keepsPermissions() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        write(file, "new");
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void writesFileWithLongestPossibleName() throws Exception {
        Path file = folder.resolve("n".repeat(255));
        write(file, "long");
        assertEquals("long", Files.readString(file));
    }

    /// A predictable name would let an attacker place a link there and have its target overwritten.
    @Test @DisabledOnOs(OS.WINDOWS)
    void temporaryNameIsRandom() throws Exception {
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            AtomicFile.write(folder.resolve("file"),
                    out -> seen.addAll(names().stream().filter(name -> name.endsWith(".part")).toList()));
        }
        assertEquals(2, seen.size());
        assertFalse(seen.get(0).equals(seen.get(1)), seen::toString);
        assertTrue(seen.stream()
                .allMatch(name -> AtomicFile.isPartFile(Path.of(name)) && name.matches("\\.[0-9a-f]{16}\\.part")),
                seen::toString);
    }

    @Test
    void deletesUnfinishedFilesInSubfolders() throws Exception {
        Path inside = Files.createDirectories(folder.resolve("previews"));
        Files.writeString(folder.resolve(".run.json.123.part"), "");
        Files.writeString(inside.resolve(".0123456789abcdef.part"), "");
        Files.writeString(inside.resolve("kept.part"), "");
        AtomicFile.deletePartFiles(folder);
        assertEquals(List.of("previews"), names());
        assertTrue(Files.exists(inside.resolve("kept.part")));
    }
}
