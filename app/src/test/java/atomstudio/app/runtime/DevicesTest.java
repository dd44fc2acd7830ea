package atomstudio.app.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevicesTest {
    private static final BuildInfo FOR_CPU = new BuildInfo("1", false, "1.29.0");
    private static final BuildInfo FOR_CUDA = new BuildInfo("1", true, "1.29.0");

    @TempDir
    private Path folder;

    @Test
    void selectsTheFastestDeviceByDefault() throws Exception {
        Path driver = Files.createFile(folder.resolve("driver"));
        assertEquals(Device.CUDA, new Devices(FOR_CUDA, List.of(driver)).select(Optional.empty()));
        assertEquals(Device.CPU, new Devices(FOR_CUDA, List.of(folder.resolve("absent"))).select(Optional.empty()));
        assertEquals(Device.CPU, new Devices(FOR_CPU, List.of(driver)).select(Optional.empty()));
    }

    @Test
    void cudaInACpuBuildIsRejectedWithTheBuildCommand() throws Exception {
        Devices devices = new Devices(FOR_CPU, List.of(Files.createFile(folder.resolve("driver"))));
        Failure failure = assertThrows(Failure.DeviceUnavailable.class, () -> devices.select(Optional.of(Device.CUDA)));
        assertTrue(failure.getMessage().contains("mvn -P cuda"), failure::getMessage);
    }

    @Test
    void cudaWithoutDriverIsRejected() {
        Devices devices = new Devices(FOR_CUDA, List.of());
        Failure failure = assertThrows(Failure.DeviceUnavailable.class, () -> devices.select(Optional.of(Device.CUDA)));
        assertTrue(failure.getMessage().contains("no NVIDIA driver"), failure::getMessage);
    }
}
