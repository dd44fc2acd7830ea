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

/// Sets the library paths of both native engines before either is loaded. The libraries are unpacked into the home
/// once, not into the temporary folder at every start; a packaged program contains them unpacked.
public final class NativeLibraries {
    /// The system property that names a folder with `onnxruntime/` and `pytorch/`, both unpacked.
    public static final String PROPERTY = "atomstudio.natives";

    private static final String ONNX_RUNTIME_RESOURCES = "ai/onnxruntime/native/";

    private NativeLibraries() {}

    /// Sets the engines' system properties, and unpacks ONNX Runtime at the first start (DJL unpacks PyTorch when it is
    /// first used). Loads nothing. Several processes may call this concurrently.
    public static void prepare(Home home) throws Failure {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        // DJL loads JNA, which by default unpacks its library into ~/.cache at every start.
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

    /// Unpacks a library of a jar and the files beside it into a folder with the library's CRC-32 in its name.
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
                // Damaged, or just created by another process.
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
            throw new IOException("%s of %s is damaged (checksum %08x, expected %08x)".formatted(
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

    /// The folder of this platform in ONNX Runtime's jar.
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String name = system.contains("win") ? "win" : system.contains("mac") ? "osx" : "linux";
        return name + switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "-x64";
            case String other -> "-" + other;
        };
    }
}
