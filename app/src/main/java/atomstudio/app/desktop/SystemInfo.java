package atomstudio.app.desktop;

import atomstudio.app.runtime.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the machine has to work with.
public interface SystemInfo {
    /// Where pictures are computed: `CPU`, `CUDA`.
    String device();

    int threads();

    /// Bytes that programs can still get.
    long freeMemory();

    /// The machine the program runs on. On Linux memory that the kernel would give back counts as free, elsewhere
    /// only what nobody uses.
    static final class LocalSystemInfo implements SystemInfo {
        @Override
        public String device() {
            return Devices.detect().available().getFirst().name();
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
