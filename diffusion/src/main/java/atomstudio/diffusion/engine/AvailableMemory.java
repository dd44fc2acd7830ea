package atomstudio.diffusion.engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// The machine's available memory.
public final class AvailableMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String MEM_AVAILABLE = "MemAvailable:";

    private AvailableMemory() {}

    /// Bytes available without swapping, on Linux including reclaimable caches; unlimited if unknown.
    public static long bytes() {
        try {
            for (String line : Files.readAllLines(MEMINFO)) {
                if (line.startsWith(MEM_AVAILABLE)) return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
            }
        } catch (IOException | NumberFormatException notLinux) {
            // Not Linux: free memory as the JVM reports it.
        }
        return ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getFreeMemorySize()
                        : Long.MAX_VALUE;
    }
}
