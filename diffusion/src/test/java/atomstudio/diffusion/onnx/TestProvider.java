package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.ProviderDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/// The execution provider plugin of this machine, for tests: the environment variable `ATOMSTUDIO_TEST_PROVIDER` names
/// the folder of its libraries. Tests that need it are skipped without.
public final class TestProvider {
    private static final String VARIABLE = "ATOMSTUDIO_TEST_PROVIDER";

    private TestProvider() {}

    /// Registers the plugin and lists its devices; skips the test if none is named.
    public static List<ProviderDevice> devices() throws Exception {
        String folder = System.getenv(VARIABLE);
        Assumptions.assumeTrue(folder != null,
                "no execution provider: " + VARIABLE + " names no folder with its libraries");
        try (Stream<Path> files = Files.list(Path.of(folder).toAbsolutePath())) {
            Path library = files.filter(file -> file.getFileName().toString().matches(".*provider.*plugin\\.(so|dll)"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(folder + ": no plugin library"));
            ExecutionProviders.register("test-provider", library);
        }
        return ExecutionProviders.devices();
    }

    /// Its device on the processor, or else its first one.
    public static ProviderDevice device() throws Exception {
        List<ProviderDevice> devices = devices();
        return devices.stream()
                .filter(device -> device.hardware().kind() == ProviderDevice.Hardware.Kind.CPU)
                .findFirst()
                .orElse(devices.getFirst());
    }
}
