package atomstudio.app.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.runtime.BuildInfo;
import atomstudio.app.runtime.Devices;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceSelectionTest {
    @TempDir
    Path home;

    private DeviceSelection devices;

    @BeforeEach
    void addProvider() throws Exception {
        devices = new DeviceSelection(new Home(home), new Devices(new BuildInfo("1", false, "1.29.0"), List.of()));
        provider("1.2").write();
    }

    /// Its library is not the one that was added, so it is never loaded.
    private Provider provider(String version) throws Exception {
        Path folder = home.resolve("providers/fake");
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("libfake.so"), "changed");
        ProviderDevice device = new ProviderDevice("fake-gpu", new Hardware("FakeExecutionProvider", "Fake",
                Hardware.Kind.GPU, "Fake 1", OptionalLong.empty()), Precision.FLOAT16);
        return new Provider(folder, new Provider.Origin("fake", version, "fake.whl", Instant.EPOCH), "libfake.so",
                List.of(device), Map.of("libfake.so", "0".repeat(64)));
    }

    private void measure(String device, double seconds, double error) throws Failure {
        devices.save(new Measurement(devices.key(devices.find(device)), seconds, error));
    }

    @Test
    void withoutMeasurementsAutoIsTheFastestBuiltInDevice() throws Exception {
        assertEquals(List.of("auto", "cpu", "fake-gpu"), devices.names());
        assertEquals("cpu", devices.automatic().name());
        measure("fake-gpu", 0.001, 0);
        assertEquals("cpu", devices.automatic().name(), "the CPU may be faster");
        assertEquals(Device.CPU, devices.select("auto", note -> {}));
    }

    @Test
    void autoIsTheFastestAccurateDevice() throws Exception {
        measure("cpu", 0.010, 0);
        measure("fake-gpu", 0.005, 0.004);
        assertEquals("fake-gpu", devices.automatic().name());
        assertEquals("fake-gpu", devices.title("auto"));
        assertEquals("CPU", devices.title("cpu"));
        measure("fake-gpu", 0.001, 0.5);
        assertEquals("cpu", devices.automatic().name());
        measure("fake-gpu", 0.001, Double.POSITIVE_INFINITY);
        assertEquals("cpu", devices.automatic().name());
        assertEquals(Double.POSITIVE_INFINITY, devices.find("fake-gpu").measurement().orElseThrow().error());
    }

    @Test
    void aMeasurementOfAnotherVersionIsNotUsed() throws Exception {
        measure("cpu", 0.010, 0);
        measure("fake-gpu", 0.005, 0);
        provider("1.3").write();
        assertEquals("cpu", devices.automatic().name());
        assertEquals(Optional.empty(), devices.find("fake-gpu").measurement());
    }

    @Test
    void aProviderThatCannotBeLoadedIsReplacedOnlyForAuto() throws Exception {
        measure("cpu", 0.010, 0);
        measure("fake-gpu", 0.005, 0);
        List<String> notes = new ArrayList<>();
        assertEquals(Device.CPU, devices.select("auto", notes::add));
        assertEquals(1, notes.size());
        assertTrue(notes.getFirst().startsWith("Device fake-gpu cannot be used, so cpu is: "), notes::toString);
        assertTrue(notes.getFirst().contains("libfake.so was changed"), notes::toString);
        assertThrows(Failure.Unreadable.class, () -> devices.select("fake-gpu", notes::add));
    }

    @Test
    void anUnknownDeviceIsNamedWithTheKnownOnes() {
        String message = assertThrows(Failure.DeviceUnavailable.class, () -> devices.select("other", note -> {}))
                .getMessage();
        assertTrue(message.startsWith("no device \"other\" on this machine; there are auto, cpu, fake-gpu"), message);
        assertTrue(assertThrows(Failure.DeviceUnavailable.class, () -> devices.select("cuda", note -> {})).getMessage()
                .contains("built for the CPU"));
    }

    @Test
    void damagedFilesCostNoOtherDevice() throws Exception {
        measure("cpu", 0.010, 0);
        Files.writeString(home.resolve("providers/measured.json"), "{");
        Files.writeString(home.resolve("providers/fake/provider.json"), "{");
        assertEquals(List.of("auto", "cpu"), devices.names());
        assertEquals("cpu", devices.automatic().name());
        measure("cpu", 0.020, 0);
        assertEquals(0.020, devices.automatic().measurement().orElseThrow().secondsPerStep());
    }
}
