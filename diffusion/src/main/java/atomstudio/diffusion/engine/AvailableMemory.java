package atomstudio.diffusion.engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// What of the machine's memory is there to be used.
final class AvailableMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String MEM_AVAILABLE = "MemAvailable:";

    private AvailableMemory() {}

    /// Bytes that could be used without pushing others out: on Linux with what the file cache would give back. As much as one likes where
    /// nobody says.
    static long bytes() {
        try {
            for (String line : Files.readAllLines(MEMINFO)) {
                if (line.startsWith(MEM_AVAILABLE)) return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
            }
        } catch (IOException | NumberFormatException notLinux) {
            // Not Linux: the next best.
        }
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system ? system.getFreeMemorySize() : Long.MAX_VALUE;
    }
}
