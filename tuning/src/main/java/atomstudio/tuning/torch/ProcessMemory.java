package atomstudio.tuning.torch;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory of this process as counted by the operating system, including native memory; 0 if unknown (outside Linux).
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private static final Path MEMINFO = Path.of("/proc/meminfo");

    private ProcessMemory() {}

    /// Resident bytes.
    public static long resident() {
        return read("VmRSS:");
    }

    /// Peak resident bytes.
    public static long peakResident() {
        return read("VmHWM:");
    }

    /// Resident bytes that are not backed by a file.
    static long anonymous() {
        return read("RssAnon:");
    }

    /// Bytes that this process can use in total, including those it already has; 0 if unknown.
    public static long limit() {
        long available = read(MEMINFO, "MemAvailable:");
        long total = ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getTotalMemorySize()
                        : 0;
        return available == 0 ? total : total == 0 ? available + resident() : Math.min(total, available + resident());
    }

    private static long read(String key) {
        return read(STATUS, key);
    }

    private static long read(Path file, String key) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(key))
                    return 1024 * Long.parseLong(line.substring(key.length()).replace("kB", "").strip());
            }
            return 0;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
