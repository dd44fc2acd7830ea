package atomstudio.app.runtime;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.CompletionMarker;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import org.jspecify.annotations.Nullable;

/// Tells both native engines where their libraries are, before either is loaded. They are unpacked once into the
/// home, so that a start does not unpack them again into the temporary folder; a packaged program brings them
/// unpacked.
public final class NativeLibraries {
    /// The system property that names a folder with `onnxruntime/` and `pytorch/`, both unpacked.
    public static final String PROPERTY = "atomstudio.natives";

    private static final String ONNX_RUNTIME_RESOURCES = "ai/onnxruntime/native/";

    private NativeLibraries() {}

    /// Sets the engines' system properties; unpacks ONNX Runtime at the first start (DJL unpacks by itself when
    /// training begins). Loads nothing. Several processes may do this at once.
    public static void prepare(Home home) throws Failure {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        // DJL loads JNA, which would unpack its library under ~/.cache at every start.
        System.setProperty("jna.tmpdir", home.natives().resolve("jna").toString());
        String bundled = System.getProperty(PROPERTY);
        if (bundled != null) {
            System.setProperty("PYTORCH_LIBRARY_PATH", Path.of(bundled, "pytorch").toString());
            System.setProperty("onnxruntime.native.path", Path.of(bundled, "onnxruntime").toString());
            return;
        }
        System.setProperty("DJL_CACHE_DIR", home.natives().toString());
        @Nullable URL library = NativeLibraries.class.getClassLoader()
                .getResource(ONNX_RUNTIME_RESOURCES + platform() + "/" + System.mapLibraryName("onnxruntime"));
        if (library != null) {
            System.setProperty("onnxruntime.native.path", unpack(library, home.natives()).toString());
        }
    }

    /// Unpacks a library of a jar and its neighbours into a folder that carries the library's check sum in its name.
    static Path unpack(URL library, Path natives) throws Failure {
        try {
            JarURLConnection connection = (JarURLConnection) library.openConnection();
            try (JarFile jar = new JarFile(Path.of(connection.getJarFileURL().toURI()).toFile())) {
                JarEntry libraryEntry = connection.getJarEntry();
                List<JarEntry> entries = siblings(jar, libraryEntry.getName());
                Path folder = natives.resolve("onnxruntime-%08x".formatted(libraryEntry.getCrc()));
                if (!CompletionMarker.isComplete(folder)) {
                    StudioFolder.createDirectories(natives);
                    install(jar, entries, folder);
                }
                return folder;
            }
        } catch (IOException error) {
            throw new Failure.Unwritable(
                    "%s: the native libraries cannot be unpacked: %s; free some space, or move the home with %s"
                            .formatted(natives, reason(error), Home.ENVIRONMENT_VARIABLE),
                    error);
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static List<JarEntry> siblings(JarFile jar, String name) {
        String folder = name.substring(0, name.lastIndexOf('/') + 1);
        return jar.stream()
                .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(folder)
                        && entry.getName().indexOf('/', folder.length()) < 0)
                .toList();
    }

    private static void install(JarFile jar, List<JarEntry> entries, Path folder) throws IOException {
        try (TemporaryPath unpacked = TemporaryPath
                .register(Files.createTempDirectory(folder.getParent(), ".unpacking-"));
                TemporaryPath damaged = TemporaryPath
                        .register(folder.resolveSibling(".damaged-" + TemporaryPath.randomSuffix()))) {
            for (JarEntry entry : entries) {
                copy(jar, entry, unpacked.path().resolve(fileName(entry)));
            }
            CompletionMarker.write(unpacked.path());
            if (Files.exists(folder)) {
                // Damaged, or just put there by another process: whichever it is, what counts is that it is complete
                // afterwards.
                if (CompletionMarker.isComplete(folder)) {
                    return;
                }
                Files.move(folder, damaged.path(), StandardCopyOption.ATOMIC_MOVE);
            }
            moveIfAbsent(unpacked.path(), folder);
        }
    }

    private static void moveIfAbsent(Path unpacked, Path folder) throws IOException {
        try {
            Files.move(unpacked, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException alreadyThere) {
            if (!CompletionMarker.isComplete(folder)) {
                throw alreadyThere;
            }
        }
    }

    private static void copy(JarFile jar, JarEntry entry, Path file) throws IOException {
        CRC32 checksum = new CRC32();
        try (InputStream from = jar.getInputStream(entry);
                OutputStream to = new CheckedOutputStream(Files.newOutputStream(file), checksum)) {
            from.transferTo(to);
        }
        if (checksum.getValue() != entry.getCrc()) {
            throw new IOException("%s of %s is damaged (check sum %08x, expected %08x)".formatted(
                    entry.getName(), jar.getName(), checksum.getValue(), entry.getCrc()));
        }
    }

    private static String fileName(JarEntry entry) {
        return entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
    }

    private static String reason(IOException error) {
        return error instanceof FileSystemException system && system.getReason() != null ? system.getReason()
                : String.valueOf(error.getMessage());
    }

    /// ONNX Runtime's name for this machine.
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String name = system.contains("win") ? "win" : system.contains("mac") ? "osx" : "linux";
        return name + switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "-x64";
            case String other -> "-" + other;
        };
    }
}
