package atomstudio.diffusion.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A temporary file or folder that is deleted on close, when the process is stopped by a signal, or at the next start
/// if the process was killed. For that it is registered in the data folder by a small file named
/// `PID-STARTMILLIS-RANDOM` that holds the host name in its first line and the path in the rest. Without a data folder
/// nothing is registered.
public final class TemporaryPath implements AutoCloseable {
    private static final String REGISTRY_FOLDER = "temporary";
    private static final int MAX_ATTEMPTS = 5;
    private static final SecureRandom RANDOM = new SecureRandom();
    /// The system computes the start time of a process from its clock, which may have been set since.
    private static final long START_TOLERANCE_MILLIS = 10_000;

    private final Path path;
    private final @Nullable Path registration;

    private TemporaryPath(Path path, @Nullable Path registration) {
        this.path = path;
        this.registration = registration;
    }

    /// Registers a path before it is created. If registering fails, the path is still deleted on close.
    public static TemporaryPath register(Path path) {
        Path absolute = path.toAbsolutePath();
        Optional<Path> folder = registryFolder();
        if (folder.isEmpty()) return new TemporaryPath(absolute, null);
        String name = Owner.CURRENT.pid + "-" + Owner.CURRENT.startMillis + "-" + randomSuffix();
        Path registration = folder.get().resolve(name);
        try {
            StudioFolder.createFile(registration);
            Files.writeString(registration, Owner.HOST + "\n" + absolute);
            return new TemporaryPath(absolute, registration);
        } catch (IOException unregistered) {
            return new TemporaryPath(absolute, null);
        }
    }

    /// Creates an owner-only folder in the system's temporary folder.
    public static TemporaryPath createFolder(String purpose) throws IOException {
        // Registered before it is created: a signal may arrive between the two.
        TemporaryPath folder = register(
                Path.of(System.getProperty("java.io.tmpdir"), "atomstudio-" + purpose + "-" + randomSuffix()));
        try {
            Files.createDirectory(folder.path, StudioFolder.ownerOnlyAttributes(folder.path));
            return folder;
        } catch (IOException e) {
            folder.close();
            throw e;
        }
    }

    /// 16 random hexadecimal digits that cannot be guessed.
    public static String randomSuffix() {
        byte[] bytes = new byte[8];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    public Path path() {
        return path;
    }

    /// Deletes the path; errors are ignored.
    @Override
    public void close() {
        remove(path);
        if (registration != null) remove(registration);
    }

    /// Deletes the paths of dead processes of this host.
    public static void removeStale() {
        removeRegistered(owner -> !owner.isAlive());
    }

    /// Deletes all paths of this process, for a signal handler that ends it at once.
    public static void removeOwn() {
        removeRegistered(Owner.CURRENT::equals);
    }

    private static void removeRegistered(Predicate<Owner> filter) {
        Optional<Path> folder = registryFolder().filter(Files::isDirectory);
        if (folder.isEmpty()) return;
        try (Stream<Path> registrations = Files.list(folder.get())) {
            for (Path registration : registrations.toList()) {
                Optional<Owner> owner = Owner.of(registration);
                if (owner.isEmpty() || !filter.test(owner.get())) continue;
                String[] lines = Files.readString(registration).split("\n", 2);
                // On a shared disk: the processes of another host cannot be checked from here.
                if (lines.length == 2 && !lines[0].equals(Owner.HOST)) continue;
                if (lines.length == 2) remove(Path.of(lines[1]));
                remove(registration);
            }
        } catch (IOException | UncheckedIOException retriedAtNextStart) {
            // Retried at the next start.
        }
    }

    /// Retries, since files may still be written into a folder.
    private static void remove(Path path) {
        for (int attempt = 0; attempt < MAX_ATTEMPTS && Files.exists(path, LinkOption.NOFOLLOW_LINKS); attempt++)
            removeOnce(path);
    }

    /// Deletes folders recursively and does not follow links.
    private static void removeOnce(Path path) {
        try {
            if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(path);
                return;
            }
            try (Stream<Path> contents = Files.walk(path)) {
                for (Path entry : contents.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(entry);
            }
        } catch (IOException | UncheckedIOException undeleted) {
            // Retried by the caller.
        }
    }

    /// The process that registered a path.
    /// @param startMillis start time in milliseconds, since process ids are reused
    private record Owner(long pid, long startMillis) {
        static final Owner CURRENT = new Owner(ProcessHandle.current().pid(), startMillis(ProcessHandle.current()));
        static final String HOST = hostName();

        static Optional<Owner> of(Path registration) {
            String[] parts = registration.getFileName().toString().split("-");
            try {
                return parts.length == 3 ? Optional.of(new Owner(Long.parseLong(parts[0]), Long.parseLong(parts[1])))
                        : Optional.empty();
            } catch (NumberFormatException notARegistration) {
                return Optional.empty();
            }
        }

        boolean isAlive() {
            return ProcessHandle.of(pid)
                    .filter(process -> Math.abs(startMillis(process) - startMillis) < START_TOLERANCE_MILLIS)
                    .isPresent();
        }

        private static long startMillis(ProcessHandle process) {
            return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        }

        /// The host name, without a network lookup.
        private static String hostName() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            } catch (IOException notLinux) {
                return System.getenv().getOrDefault("COMPUTERNAME", System.getenv().getOrDefault("HOSTNAME", ""));
            }
        }
    }

    private static Optional<Path> registryFolder() {
        return StudioFolder.path().map(folder -> folder.resolve(REGISTRY_FOLDER));
    }
}
