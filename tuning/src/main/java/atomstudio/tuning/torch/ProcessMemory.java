package atomstudio.tuning.torch;

import atomstudio.diffusion.engine.AvailableMemory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory of this process as counted by the operating system, including native memory; 0 if unknown (outside Linux).
public final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ProcessMemory() {}

    /// Resident bytes.
    public static long resident() {
        return read("VmRSS:");
    }

    /// Peak resident bytes.
    public static long peakResident() {
        return read("VmHWM:");
    }

    /// Resident pages of mapped files.
    public static long mapped() {
        return read("RssFile:");
    }

    /// Resident bytes that are not backed by a file.
    static long anonymous() {
        return read("RssAnon:");
    }

    /// Bytes that this process can use in total, including those it already has, within the limits of its control
    /// groups; 0 if unknown. Pages of mapped files are available, whether resident or not.
    public static long limit() {
        long total = ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getTotalMemorySize()
                        : 0;
        long anonymous = anonymous();
        if (anonymous == 0) return total; // not Linux
        long usable = AvailableMemory.bytes() + anonymous;
        return total == 0 ? usable : Math.min(total, usable);
    }

    private static long read(String key) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(key))
                    return 1024 * Long.parseLong(line.substring(key.length()).replace("kB", "").strip());
            }
            return 0;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
