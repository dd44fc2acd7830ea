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

/// A file or folder that is there only while it is worked on. A note in the studio's folder says where it is, so that
/// it is removed when the process is stopped by a signal, and at the next start when the process was killed. A note
/// is a small file, named by its process: `PID-BIRTH-RANDOM`, with the machine in its first line and the path in the
/// rest. Without a studio's folder nothing is noted.
public final class TemporaryPath implements AutoCloseable {
    private static final String REGISTRY_FOLDER = "temporary";
    private static final int MAX_ATTEMPTS = 5;
    private static final SecureRandom RANDOM = new SecureRandom();
    /// The system computes a process's time of birth from its clock, which may have been set since.
    private static final long START_TOLERANCE_MILLIS = 10_000;

    private final Path path;
    private final @Nullable Path registration;

    private TemporaryPath(Path path, @Nullable Path registration) {
        this.path = path;
        this.registration = registration;
    }

    /// Notes a path before anything is made there. What cannot be noted is temporary all the same.
    public static TemporaryPath register(Path path) {
        Path absolute = path.toAbsolutePath();
        Optional<Path> folder = registryFolder();
        if (folder.isEmpty()) return new TemporaryPath(absolute, null);
        Path registration = folder.get()
                .resolve(Owner.CURRENT.pid + "-" + Owner.CURRENT.startMillis + "-" + randomSuffix());
        try {
            StudioFolder.createFile(registration);
            Files.writeString(registration, Owner.HOST + "\n" + absolute);
            return new TemporaryPath(absolute, registration);
        } catch (IOException unregistered) {
            return new TemporaryPath(absolute, null);
        }
    }

    /// A new folder among the system's temporary ones, which only its owner may enter.
    public static TemporaryPath createFolder(String purpose) throws IOException {
        // Noted before it is made: a signal may come between the two.
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

    /// Letters that nobody can guess.
    public static String randomSuffix() {
        byte[] bytes = new byte[8];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    public Path path() {
        return path;
    }

    /// Removes what is there. What cannot be removed is only in the way.
    @Override
    public void close() {
        remove(path);
        if (registration != null) remove(registration);
    }

    /// Removes what processes of this machine left that are gone.
    public static void removeStale() {
        removeRegistered(owner -> !owner.isAlive());
    }

    /// Removes what this process has not removed yet: for a signal that ends it at once.
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
                if (lines.length == 2 && !lines[0].equals(Owner.HOST)) continue; // a shared disk: its processes cannot be seen from here
                if (lines.length == 2) remove(Path.of(lines[1]));
                remove(registration);
            }
        } catch (IOException | UncheckedIOException retriedAtNextStart) {
            // The next start tries again.
        }
    }

    /// Again where something is still being written into a folder.
    private static void remove(Path path) {
        for (int attempt = 0; attempt < MAX_ATTEMPTS && Files.exists(path, LinkOption.NOFOLLOW_LINKS); attempt++)
            removeOnce(path);
    }

    /// Folders with what is in them, links as links.
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
            // Only in the way.
        }
    }

    /// The process that a note is of.
    /// @param startMillis in milliseconds: process numbers come again
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

        /// Its name, without looking it up in a network.
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
