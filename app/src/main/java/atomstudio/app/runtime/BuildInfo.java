package atomstudio.app.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// The version, and whether the build contains the native libraries for NVIDIA GPUs.
/// @param runtimeVersion of ONNX Runtime: `1.29.0`
public record BuildInfo(String version, boolean cuda, String runtimeVersion) {
    /// The command that builds the program for NVIDIA GPUs.
    public static final String CUDA_BUILD_COMMAND = "mvn -P cuda -pl app -am -DskipTests package";

    private static final String RESOURCE = "/atomstudio/app/build.properties";

    /// This program's build.
    public static BuildInfo current() {
        Properties properties = new Properties();
        try (InputStream stream = BuildInfo.class.getResourceAsStream(RESOURCE)) {
            if (stream == null) {
                throw new IllegalStateException(RESOURCE + " is missing from the class path");
            }
            properties.load(stream);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return new BuildInfo(properties.getProperty("version"), properties.getProperty("onnxruntime").endsWith("_gpu"),
                properties.getProperty("onnxruntime.version"));
    }
}
