package atomstudio.diffusion.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExecutionProvidersTest {
    @TempDir
    private Path folder;

    @Test
    void missingAndDamagedLibrariesAreNamedWithTheReasonAndTheRuntimeStaysUsable() throws Exception {
        Path missing = folder.resolve("libmissing.so");
        assertFailure("no such file", missing);
        assertFailure("cannot be loaded", Files.writeString(folder.resolve("libtext.so"), "not a library"));
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph);
        Graph.Value x = ops.input("x", Shape.of(2));
        try (OnnxSession session = OnnxRuntime.open(Device.CPU, 1)
                .createSession(graph.model(ops.add(x, x)), OnnxSession.SessionWeights.none(), Shape.of(2))) {
            Tensor sum = session.run(Map.of("x", OnnxSession.Feed.of(Tensor.filled(Shape.of(2), 1))), Map.of());
            assertEquals(2, sum.data()[1]);
        }
    }

    @Test
    void aLibraryThatIsNoPluginIsRejectedBeforeTheRuntimeLoadsIt() throws Exception {
        String name = System.mapLibraryName("zip"); // any library
        Path jdk = Path.of(System.getProperty("java.home"));
        Path library = Files.exists(jdk.resolve("lib").resolve(name)) ? jdk.resolve("lib").resolve(name)
                : jdk.resolve("bin").resolve(name);
        assertFailure("not an execution provider", library);
    }

    private static void assertFailure(String reason, Path library) {
        Failure failure = assertThrows(Failure.DeviceUnavailable.class,
                () -> ExecutionProviders.register("test", library));
        assertTrue(failure.getMessage().contains(library.toString()) && failure.getMessage().contains(reason),
                failure::getMessage);
    }

    @Test
    void relativePathsAreRejected() {
        assertThrows(IllegalArgumentException.class,
                () -> ExecutionProviders.register("test", Path.of("libplugin.so")));
    }

    @Test
    void devicesAreNamedByProviderAndHardware() {
        Hardware gpu = hardware("OpenVINOExecutionProvider", Hardware.Kind.GPU);
        assertEquals("openvino-gpu", ExecutionProviders.uniqueName(gpu, List.of("openvino-cpu")));
        assertEquals("openvino-gpu-2", ExecutionProviders.uniqueName(gpu, List.of("openvino-gpu")));
        assertEquals("webgpu",
                ExecutionProviders.uniqueName(hardware("WebGpuExecutionProvider", Hardware.Kind.GPU), List.of()));
    }

    private static Hardware hardware(String provider, Hardware.Kind kind) {
        return new Hardware(provider, "vendor", kind, "", OptionalLong.empty());
    }

    @Test
    void aPluginIsRegisteredOnceAndListsItsDevices() throws Exception {
        List<ProviderDevice> devices = TestProvider.devices();
        assertFalse(devices.isEmpty());
        assertEquals(devices, TestProvider.devices());
        assertEquals(devices.size(), devices.stream().map(ProviderDevice::name).distinct().count());
    }
}
