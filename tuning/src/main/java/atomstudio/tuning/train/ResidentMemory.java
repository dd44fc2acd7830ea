package atomstudio.tuning.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Memory of this process as the operating system counts it, native memory included; 0 where it does not say (outside Linux).
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /// Bytes resident now.
    static long now() {
        return read("VmRSS:");
    }

    /// Most bytes resident so far.
    static long peak() {
        return read("VmHWM:");
    }

    private static long read(String key) {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(key)) return 1024 * Long.parseLong(line.substring(key.length()).replace("kB", "").strip());
            }
            return 0;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
