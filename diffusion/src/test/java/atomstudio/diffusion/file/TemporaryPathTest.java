package atomstudio.diffusion.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TemporaryPathTest {
    @TempDir
    private Path folder;

    private Path home;
    private Path out;

    @BeforeEach
    void setDataFolder() throws IOException {
        home = folder.resolve("studio");
        out = Files.createDirectory(folder.resolve("out"));
        System.setProperty(StudioFolder.PROPERTY, home.toString());
    }

    @AfterEach
    void clearDataFolder() {
        System.clearProperty(StudioFolder.PROPERTY);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> !Files.isDirectory(file)).toList();
        }
    }

    /// A process that reports when it has started writing and blocks until its input ends.
    static final class Writer {
        public static void main(String[] arguments) throws Exception {
            System.setProperty(StudioFolder.PROPERTY, arguments[0]);
            TemporaryPath scratch = TemporaryPath.createFolder("estimate");
            Files.writeString(scratch.path().resolve("0-0.safetensors"), "numbers");
            AtomicFile.write(Path.of(arguments[1], "adapter.safetensors"), stream -> {
                stream.write(new byte[1 << 20]);
                System.out.println(scratch.path());
                while (System.in.read() >= 0) Thread.onSpinWait();
                TemporaryPath.removeOwn();
                Runtime.getRuntime().halt(130);
            });
        }
    }

    private Process writer() throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
                "-Djava.io.tmpdir=" + folder, Writer.class.getName(), home.toString(), out.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void removeStaleDeletesPathsOfDeadProcessesOnly() throws Exception {
        Process killed = writer();
        Process alive = writer();
        try (BufferedReader first = killed.inputReader(); BufferedReader second = alive.inputReader();
                TemporaryPath own = TemporaryPath.register(Files.writeString(folder.resolve("own"), ""))) {
            Path stale = Path.of(first.readLine());
            Path kept = Path.of(second.readLine());
            killed.destroyForcibly().waitFor();
            assertEquals(2, files(out).size());
            TemporaryPath.removeStale();
            assertFalse(Files.exists(stale));
            assertTrue(Files.exists(kept.resolve("0-0.safetensors")));
            assertTrue(Files.exists(own.path()));
            assertEquals(1, files(out).size());
        } finally {
            alive.destroyForcibly().waitFor();
        }
        TemporaryPath.removeStale();
        assertEquals(List.of(), files(out));
        assertEquals(List.of(), files(home));
    }

    @Test
    void removeOwnDeletesPathsOfThisProcess() throws Exception {
        Process writer = writer();
        try (BufferedReader lines = writer.inputReader()) {
            Path scratch = Path.of(lines.readLine());
            writer.getOutputStream().close();
            assertTrue(writer.waitFor(30, TimeUnit.SECONDS));
            assertFalse(Files.exists(scratch));
        }
        assertEquals(List.of(), files(out));
        assertEquals(List.of(), files(home));
    }

    @Test
    void closeDeletesFolderAndRegistration() throws Exception {
        try (TemporaryPath folder = TemporaryPath.createFolder("estimate")) {
            Files.writeString(Files.createDirectory(folder.path().resolve("a")).resolve("b"), "");
            assertEquals(1, files(home).size());
        }
        assertEquals(List.of(), files(home));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void deletesLinksButNotTheirTargets() throws Exception {
        Path target = Files.writeString(out.resolve("target"), "");
        try (TemporaryPath temporary = TemporaryPath.createFolder("estimate")) {
            Files.createSymbolicLink(temporary.path().resolve("link"), out);
        }
        assertTrue(Files.exists(target));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void filesInDataFolderAreOwnerOnlyAndOthersHaveDefaultPermissions() throws Exception {
        AtomicFile.write(home.resolve("runs/car/run.json"), stream -> stream.write(1));
        AtomicFile.write(out.resolve("a/apple.png"), stream -> stream.write(1));
        Path reference = Files.createDirectory(folder.resolve("reference"));
        for (Path made : List.of(home, home.resolve("runs"), home.resolve("runs/car")))
            assertEquals("rwx------", permissions(made), made::toString);
        assertEquals("rw-------", permissions(home.resolve("runs/car/run.json")));
        assertEquals(permissions(reference), permissions(out.resolve("a")));
        assertEquals(permissions(Files.createFile(reference.resolve("file"))), permissions(out.resolve("a/apple.png")));
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
