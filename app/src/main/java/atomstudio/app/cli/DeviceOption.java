package atomstudio.app.cli;

import atomstudio.app.runtime.Devices;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// `--device`, for every command that computes. Use it as a picocli mixin.
final class DeviceOption {
    @Option(names = "--device", paramLabel = "cpu|cuda", converter = DeviceNames.class,
            description = "Where to compute. Default: cuda if available, else cpu.")
    private @Nullable Device requested;

    /// The requested device, or the fastest available one.
    /// @throws Failure.DeviceUnavailable if the requested device is not available
    Device device() throws Failure {
        return Devices.detect().select(Optional.ofNullable(requested));
    }

    private static final class DeviceNames extends NamedValues<Device> {
        DeviceNames() {
            super(new Device[] {Device.CPU, Device.CUDA}, Device::name);
        }
    }
}
