package atomstudio.app.runtime;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The available devices, detected without loading a native library: from the build and the NVIDIA driver's files.
public record Devices(BuildInfo build, List<Path> driverFiles) {
    /// The driver of Linux, WSL and Windows (the last two untested).
    private static final List<Path> DRIVER_FILES = List.of(
            Path.of("/proc/driver/nvidia/version"), Path.of("/usr/lib/wsl/lib/libcuda.so.1"),
            Path.of("C:/Windows/System32/nvcuda.dll"));

    /// The devices of this machine.
    public static Devices detect() {
        return new Devices(BuildInfo.current(), DRIVER_FILES);
    }

    /// The available devices, fastest first.
    public List<Device> available() {
        return build.cuda() && hasDriver() ? List.of(Device.CUDA, Device.CPU) : List.of(Device.CPU);
    }

    /// The requested device, or the fastest available one.
    /// @throws Failure.DeviceUnavailable with the way to make it available
    public Device select(Optional<Device> requested) throws Failure {
        Device device = requested.orElse(available().getFirst());
        if (available().contains(device)) {
            return device;
        }
        if (build.cuda())
            throw new Failure.DeviceUnavailable("device cuda: no NVIDIA driver was found on this machine",
                    Failure.Remedy.USE_CPU);
        throw new Failure.DeviceUnavailable(
                "device cuda: this program was built for the CPU; build it for NVIDIA GPUs with: "
                        + BuildInfo.CUDA_BUILD_COMMAND);
    }

    private boolean hasDriver() {
        return driverFiles.stream().anyMatch(Files::exists);
    }
}
