package atomstudio.app.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.CompletionMarker;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
    private static final Map<String, byte[]> LIBRARIES = Map.of(
            "native/x/libone.so", "one".repeat(1000).getBytes(StandardCharsets.UTF_8),
            "native/x/libtwo.so", "two".getBytes(StandardCharsets.UTF_8));

    @TempDir
    private Path folder;

    @Test
    void unpacksOnlyTheLibrariesOfThePlatform() throws Exception {
        Path unpacked = NativeLibraries.unpack(jar(LIBRARIES), folder.resolve("natives"));
        assertEquals(List.of("libone.so", "libtwo.so"), names(unpacked));
        assertArrayEquals(LIBRARIES.get("native/x/libone.so"), Files.readAllBytes(unpacked.resolve("libone.so")));
        assertEquals(List.of(unpacked.getFileName().toString()), names(folder.resolve("natives")));
    }

    @Test
    void secondStartUnpacksNothing() throws Exception {
        URL jar = jar(LIBRARIES);
        Path library = NativeLibraries.unpack(jar, folder.resolve("natives")).resolve("libone.so");
        FileTime marked = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(library, marked);
        NativeLibraries.unpack(jar, folder.resolve("natives"));
        assertEquals(marked, Files.getLastModifiedTime(library));
    }

    @Test
    void replacesTruncatedLibrary() throws Exception {
        URL jar = jar(LIBRARIES);
        Path library = NativeLibraries.unpack(jar, folder.resolve("natives")).resolve("libone.so");
        Files.writeString(library, "o");
        NativeLibraries.unpack(jar, folder.resolve("natives"));
        assertArrayEquals(LIBRARIES.get("native/x/libone.so"), Files.readAllBytes(library));
    }

    @Test
    void replacesLibraryWithOneWrongBit() throws Exception {
        URL jar = jar(LIBRARIES);
        Path library = NativeLibraries.unpack(jar, folder.resolve("natives")).resolve("libone.so");
        byte[] bytes = Files.readAllBytes(library);
        bytes[7] ^= 1;
        Files.write(library, bytes);
        Files.setLastModifiedTime(library, FileTime.fromMillis(1_000_000));
        NativeLibraries.unpack(jar, folder.resolve("natives"));
        assertArrayEquals(LIBRARIES.get("native/x/libone.so"), Files.readAllBytes(library));
    }

    @Test
    void unpacksAgainIfTheMarkerIsMissingOrDamaged() throws Exception {
        URL jar = jar(LIBRARIES);
        Path unpacked = NativeLibraries.unpack(jar, folder.resolve("natives"));
        for (String text : new String[] {null, "", "1 2", "x y z libone.so", "0 0 0 ../../elsewhere"}) {
            Files.write(unpacked.resolve("libtwo.so"), new byte[] {1, 2, 3});
            if (text == null) Files.delete(unpacked.resolve(CompletionMarker.NAME));
            else Files.writeString(unpacked.resolve(CompletionMarker.NAME), text);
            NativeLibraries.unpack(jar, folder.resolve("natives"));
            assertArrayEquals(LIBRARIES.get("native/x/libtwo.so"), Files.readAllBytes(unpacked.resolve("libtwo.so")));
            assertEquals(List.of(unpacked.getFileName().toString()), names(folder.resolve("natives")));
        }
    }

    @Test
    void anotherVersionHasAnotherFolder() throws Exception {
        Path first = NativeLibraries.unpack(jar(LIBRARIES), folder.resolve("natives"));
        Path second = NativeLibraries.unpack(jar(Map.of("native/x/libone.so", new byte[] {1})),
                folder.resolve("natives"));
        assertTrue(!first.equals(second), second::toString);
    }

    @Test
    void concurrentStartsShareOneFolder() throws Exception {
        URL jar = jar(LIBRARIES);
        try (var threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Path>> starts = IntStream.range(0, 8)
                    .<Callable<Path>>mapToObj(k -> () -> NativeLibraries.unpack(jar, folder.resolve("natives")))
                    .toList();
            for (Future<Path> start : threads.invokeAll(starts)) {
                assertEquals(List.of("libone.so", "libtwo.so"), names(start.get()));
            }
        }
        assertEquals(1, names(folder.resolve("natives")).size());
    }

    @Test
    void unwritableHomeIsReportedWithTheVariable() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        Failure failure = assertThrows(Failure.Unwritable.class,
                () -> NativeLibraries.unpack(jar(LIBRARIES), file.resolve("natives")));
        assertTrue(failure.getMessage().contains(file.toString())
                && failure.getMessage().contains(Home.ENVIRONMENT_VARIABLE), failure::getMessage);
    }

    private URL jar(Map<String, byte[]> libraries) throws IOException {
        Path jar = Files.createTempFile(folder, "engine", ".jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (String name : libraries.keySet()) {
                out.putNextEntry(new JarEntry(name));
                out.write(libraries.get(name));
            }
            out.putNextEntry(new JarEntry("native/y/libone.so"));
            out.putNextEntry(new JarEntry("native/x/symbols/libone.yml"));
        }
        return URI.create("jar:" + jar.toUri() + "!/native/x/libone.so").toURL();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals(CompletionMarker.NAME))
                    .sorted()
                    .toList();
        }
    }
}
