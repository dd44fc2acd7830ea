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
    void folders() throws IOException {
        home = folder.resolve("studio");
        out = Files.createDirectory(folder.resolve("out"));
        System.setProperty(StudioFolder.PROPERTY, home.toString());
    }

    @AfterEach
    void noFolder() {
        System.clearProperty(StudioFolder.PROPERTY);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> !Files.isDirectory(file)).toList();
        }
    }

    /// A writer that says that it has begun, and never ends.
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
    void whatAKilledProcessLeftAnywhereIsSweptAtTheNextStartAndWhatALivingOneHasIsKept() throws Exception {
        Process killed = writer();
        Process living = writer();
        try (BufferedReader first = killed.inputReader(); BufferedReader second = living.inputReader();
                TemporaryPath own = TemporaryPath.register(Files.writeString(folder.resolve("own"), ""))) {
            Path left = Path.of(first.readLine());
            Path kept = Path.of(second.readLine());
            killed.destroyForcibly().waitFor();
            assertEquals(2, files(out).size());
            TemporaryPath.removeStale();
            assertFalse(Files.exists(left));
            assertTrue(Files.exists(kept.resolve("0-0.safetensors")));
            assertTrue(Files.exists(own.path()));
            assertEquals(1, files(out).size());
        } finally {
            living.destroyForcibly().waitFor();
        }
        TemporaryPath.removeStale();
        assertEquals(List.of(), files(out));
        assertEquals(List.of(), files(home));
    }

    @Test
    void aProcessThatIsToEndAtOnceRemovesItsOwn() throws Exception {
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
    void nothingIsLeftWhereTheWorkEnds() throws Exception {
        try (TemporaryPath folder = TemporaryPath.createFolder("estimate")) {
            Files.writeString(Files.createDirectory(folder.path().resolve("a")).resolve("b"), "");
            assertEquals(1, files(home).size());
        }
        assertEquals(List.of(), files(home));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aLinkInATemporaryFolderIsRemovedAndWhatItPointsToIsKept() throws Exception {
        Path precious = Files.writeString(out.resolve("precious"), "");
        try (TemporaryPath temporary = TemporaryPath.createFolder("estimate")) {
            Files.createSymbolicLink(temporary.path().resolve("link"), out);
        }
        assertTrue(Files.exists(precious));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void whatLiesInTheStudiosFolderIsForItsOwnerAndWhatLiesElsewhereHasTheUsualRights() throws Exception {
        AtomicFile.write(home.resolve("runs/car/run.json"), stream -> stream.write(1));
        AtomicFile.write(out.resolve("a/apple.png"), stream -> stream.write(1));
        Path usual = Files.createDirectory(folder.resolve("usual"));
        for (Path made : List.of(home, home.resolve("runs"), home.resolve("runs/car")))
            assertEquals("rwx------", rights(made), made::toString);
        assertEquals("rw-------", rights(home.resolve("runs/car/run.json")));
        assertEquals(rights(usual), rights(out.resolve("a")));
        assertEquals(rights(Files.createFile(usual.resolve("file"))), rights(out.resolve("a/apple.png")));
    }

    private static String rights(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
