package atomstudio.diffusion.engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The memory that this process may still use.
public final class AvailableMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String MEM_AVAILABLE = "MemAvailable:";

    private AvailableMemory() {}

    /// Bytes available without swapping, on Linux including reclaimable caches and within the limits of the process's
    /// control groups (a container's, for instance); unlimited if unknown.
    public static long bytes() {
        return Math.min(machine(), ControlGroups.ofProcess().available());
    }

    private static long machine() {
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

    /// Linux's control groups, of either version. Source: the kernel's documentation, "Control Group v2" and "Memory
    /// Resource Controller".
    /// @param groups the lines of `/proc/self/cgroup`, "id:controllers:path"; without controllers for version 2
    /// @param mount of the file system of groups
    record ControlGroups(List<String> groups, Path mount) {
        private static final Path PROCESS = Path.of("/proc/self/cgroup");
        private static final Path MOUNT = Path.of("/sys/fs/cgroup");
        private static final String V1_CONTROLLER = "memory";

        static ControlGroups ofProcess() {
            try {
                return new ControlGroups(Files.readAllLines(PROCESS), MOUNT);
            } catch (IOException notLinux) {
                return new ControlGroups(List.of(), MOUNT);
            }
        }

        /// The least of what the process's groups and all groups around them leave free.
        long available() {
            long least = Long.MAX_VALUE;
            for (String group : groups) {
                String[] fields = group.split(":", 3);
                if (fields.length != 3) continue;
                if (fields[1].isEmpty()) {
                    least = Math.min(least, available(mount, fields[2], "memory.max", "memory.current", ""));
                } else if (List.of(fields[1].split(",")).contains(V1_CONTROLLER)) {
                    least = Math.min(least, available(mount.resolve(V1_CONTROLLER), fields[2],
                            "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"));
                }
            }
            return least;
        }

        /// @param path of the group; in a container it may be the host's, whose folder is not there
        private static long available(Path root, String path, String limit, String usage, String prefix) {
            long least = Long.MAX_VALUE;
            Path folder = root.resolve(path.replaceFirst("^/+", "")).normalize();
            if (!Files.isDirectory(folder)) folder = root;
            for (; folder.startsWith(root); folder = folder.getParent()) {
                try {
                    long free = Long.parseLong(Files.readString(folder.resolve(limit)).strip())
                            - Long.parseLong(Files.readString(folder.resolve(usage)).strip())
                            + fileCache(folder.resolve("memory.stat"), prefix);
                    least = Math.min(least, Math.max(0, free));
                } catch (IOException | NumberFormatException unlimited) {
                    // No such file in the root group; "max" is no limit.
                }
            }
            return least;
        }

        /// Bytes of cached files, which the kernel drops when memory is needed.
        private static long fileCache(Path statistics, String prefix) throws IOException {
            long bytes = 0;
            for (String line : Files.readAllLines(statistics)) {
                if (line.startsWith(prefix + "active_file ") || line.startsWith(prefix + "inactive_file "))
                    bytes += Long.parseLong(line.substring(line.indexOf(' ') + 1).strip());
            }
            return bytes;
        }
    }
}
