package atomstudio.app.runtime;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Which device there is to compute on, judged without loading a native library: what the program was built for, and
/// whether an NVIDIA driver is there.
public record Devices(BuildInfo build, List<Path> driverFiles) {
    /// Linux' driver, WSL's, and Windows' (the last two not run).
    private static final List<Path> DRIVER_FILES = List.of(
            Path.of("/proc/driver/nvidia/version"), Path.of("/usr/lib/wsl/lib/libcuda.so.1"),
            Path.of("C:/Windows/System32/nvcuda.dll"));

    /// This program on this machine.
    public static Devices detect() {
        return new Devices(BuildInfo.current(), DRIVER_FILES);
    }

    /// All that can be asked for, the fastest first.
    public List<Device> available() {
        return build.cuda() && hasDriver() ? List.of(Device.CUDA, Device.CPU) : List.of(Device.CPU);
    }

    /// The device that was asked for, or the fastest.
    ///
    /// @throws Failure.NoDevice where it is not there, saying what would bring it
    public Device select(Optional<Device> requested) throws Failure {
        Device device = requested.orElse(available().getFirst());
        if (available().contains(device)) {
            return device;
        }
        throw new Failure.DeviceUnavailable(build.cuda()
                ? "device cuda: no NVIDIA driver was found on this machine; use --device cpu"
                : "device cuda: this program was built for the CPU; build it for NVIDIA GPUs with: "
                        + BuildInfo.CUDA_BUILD_COMMAND);
    }

    private boolean hasDriver() {
        return driverFiles.stream().anyMatch(Files::exists);
    }
}
