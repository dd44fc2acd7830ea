package atomstudio.packaging;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// The application jar and the libraries of its class path. Native libraries are extracted from their jars, so that
/// nothing is unpacked at startup and those of other systems are left out.
record ApplicationJar(Path jar) {
    private static final String ONNX_RUNTIME_NATIVES = "ai/onnxruntime/native/";

    /// Names of the platform folders in the jars of the engines.
    private record Platform(String onnxRuntime, String pytorch) {
        static Platform current() {
            if (System.getProperty("os.name").startsWith("Windows")) {
                return new Platform("win-x64", "win-x86_64");
            }
            return new Platform("linux-x64", "linux-x86_64");
        }
    }

    void copyTo(Path input) throws IOException {
        Platform platform = Platform.current();
        Path natives = Files.createDirectories(input.resolve("natives"));
        Files.createDirectories(input.resolve("lib"));
        Files.copy(jar, input.resolve(jar.getFileName()));
        for (Path library : classPath()) {
            String name = library.getFileName().toString();
            if (name.startsWith("onnxruntime")) {
                extractNatives(library, ONNX_RUNTIME_NATIVES + platform.onnxRuntime() + "/",
                        natives.resolve("onnxruntime"));
                copyWithout(library, ONNX_RUNTIME_NATIVES, input.resolve("lib").resolve(name));
            } else if (name.startsWith("pytorch-native")) {
                extractNatives(library, "pytorch/cpu/" + platform.pytorch() + "/", natives.resolve("pytorch"));
            } else if (name.startsWith("pytorch-jni")) {
                extractNatives(library, "jnilib/" + platform.pytorch() + "/cpu/", natives.resolve("pytorch"));
            } else {
                Files.copy(library, input.resolve("lib").resolve(name));
            }
        }
    }

    private List<Path> classPath() throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            String path = file.getManifest().getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
            return Stream.of(path.split(" ")).map(jar::resolveSibling).toList();
        }
    }

    private static void extractNatives(Path library, String prefix, Path folder) throws IOException {
        Files.createDirectories(folder);
        int count = 0;
        try (JarFile file = new JarFile(library.toFile())) {
            for (JarEntry entry : file.stream()
                    .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(prefix))
                    .toList()) {
                try (InputStream from = file.getInputStream(entry)) {
                    Files.copy(from, folder.resolve(entry.getName().substring(prefix.length())));
                    count++;
                }
            }
        }
        if (count == 0) {
            throw new IOException(library + ": expected native libraries in " + prefix + ", found none");
        }
    }

    private static void copyWithout(Path library, String prefix, Path copy) throws IOException {
        try (JarFile file = new JarFile(library.toFile());
                ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(copy))) {
            for (JarEntry entry : file.stream().filter(entry -> !entry.getName().startsWith(prefix)).toList()) {
                to.putNextEntry(new ZipEntry(entry.getName()));
                try (InputStream from = file.getInputStream(entry)) {
                    from.transferTo(to);
                }
            }
        }
    }
}
