package atomstudio.app.desktop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/// Compute device, threads and free memory of this machine.
public interface SystemInfo {
    /// The device images are generated on: `CPU`, `CUDA`, `openvino-gpu`.
    String device();

    int threads();

    /// Available memory in bytes.
    long freeMemory();

    /// The local machine. Linux: `MemAvailable`, which includes reclaimable caches; elsewhere: the maximum heap.
    /// @param deviceName the device that is used now
    record LocalSystemInfo(Supplier<String> deviceName) implements SystemInfo {
        @Override
        public String device() {
            return deviceName.get();
        }

        @Override
        public int threads() {
            return Runtime.getRuntime().availableProcessors();
        }

        @Override
        public long freeMemory() {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                    if (line.startsWith("MemAvailable:")) return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
                }
            } catch (IOException notLinux) {
                return Runtime.getRuntime().maxMemory();
            }
            return Runtime.getRuntime().maxMemory();
        }
    }
}
