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

/// A file or folder that is there only while it is worked on. A note in the studio's folder says where it is, so that it is removed when the
/// process is stopped by a signal, and at the next start when the process was killed. A note is a small file, named by its process:
/// `PID-BIRTH-RANDOM`, with the machine in its first line and the path in the rest. Without a studio's folder nothing is noted.
public final class TemporaryPath implements AutoCloseable {
    private static final String NOTES = "temporary";
    private static final int ATTEMPTS = 5;
    private static final SecureRandom RANDOM = new SecureRandom();
    /// The system computes a process's time of birth from its clock, which may have been set since.
    private static final long SAME_BIRTH_MILLIS = 10_000;

    private final Path path;
    private final @Nullable Path note;

    private TemporaryPath(Path path, @Nullable Path note) {
        this.path = path;
        this.note = note;
    }

    /// Notes a path before anything is made there. What cannot be noted is temporary all the same.
    public static TemporaryPath of(Path path) {
        Path absolute = path.toAbsolutePath();
        Optional<Path> folder = notes();
        if (folder.isEmpty()) return new TemporaryPath(absolute, null);
        Path note = folder.get().resolve(Owner.CURRENT.pid + "-" + Owner.CURRENT.birth + "-" + random());
        try {
            StudioFolder.prepare(note);
            Files.writeString(note, Owner.MACHINE + "\n" + absolute);
            return new TemporaryPath(absolute, note);
        } catch (IOException unnoted) {
            return new TemporaryPath(absolute, null);
        }
    }

    /// A new folder among the system's temporary ones, which only its owner may enter.
    public static TemporaryPath folder(String purpose) throws IOException {
        // Noted before it is made: a signal may come between the two.
        TemporaryPath folder = of(Path.of(System.getProperty("java.io.tmpdir"), "atomstudio-" + purpose + "-" + random()));
        try {
            Files.createDirectory(folder.path, StudioFolder.owner(folder.path));
            return folder;
        } catch (IOException e) {
            folder.close();
            throw e;
        }
    }

    /// Letters that nobody can guess.
    public static String random() {
        byte[] bytes = new byte[8];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    public Path path() {
        return path;
    }

    /// Removes what is there. What cannot be removed is only in the way.
    @Override public void close() {
        remove(path);
        if (note != null) remove(note);
    }

    /// Removes what processes of this machine left that are gone.
    public static void sweep() {
        removeNoted(owner -> !owner.alive());
    }

    /// Removes what this process has not removed yet: for a signal that ends it at once.
    public static void removeOwn() {
        removeNoted(Owner.CURRENT::equals);
    }

    private static void removeNoted(Predicate<Owner> which) {
        Optional<Path> folder = notes().filter(Files::isDirectory);
        if (folder.isEmpty()) return;
        try (Stream<Path> notes = Files.list(folder.get())) {
            for (Path note : notes.toList()) {
                Optional<Owner> owner = Owner.of(note);
                if (owner.isEmpty() || !which.test(owner.get())) continue;
                String[] text = Files.readString(note).split("\n", 2);
                if (text.length == 2 && !text[0].equals(Owner.MACHINE)) continue;       // a shared disk: its processes cannot be seen from here
                if (text.length == 2) remove(Path.of(text[1]));
                remove(note);
            }
        } catch (IOException | UncheckedIOException later) {
            // The next start tries again.
        }
    }

    /// Again where something is still being written into a folder.
    private static void remove(Path path) {
        for (int attempt = 0; attempt < ATTEMPTS && Files.exists(path, LinkOption.NOFOLLOW_LINKS); attempt++) removeOnce(path);
    }

    /// Folders with what is in them, links as links.
    private static void removeOnce(Path path) {
        try {
            if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                Files.deleteIfExists(path);
                return;
            }
            try (Stream<Path> inside = Files.walk(path)) {
                for (Path each : inside.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(each);
            }
        } catch (IOException | UncheckedIOException left) {
            // Only in the way.
        }
    }

    /// The process that a note is of.
    /// @param birth in milliseconds: process numbers come again
    private record Owner(long pid, long birth) {
        static final Owner CURRENT = new Owner(ProcessHandle.current().pid(), birth(ProcessHandle.current()));
        static final String MACHINE = machine();

        static Optional<Owner> of(Path note) {
            String[] parts = note.getFileName().toString().split("-");
            try {
                return parts.length == 3 ? Optional.of(new Owner(Long.parseLong(parts[0]), Long.parseLong(parts[1]))) : Optional.empty();
            } catch (NumberFormatException somethingElse) {
                return Optional.empty();
            }
        }

        boolean alive() {
            return ProcessHandle.of(pid).filter(process -> Math.abs(birth(process) - birth) < SAME_BIRTH_MILLIS).isPresent();
        }

        private static long birth(ProcessHandle process) {
            return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        }

        /// Its name, without looking it up in a network.
        private static String machine() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            } catch (IOException notLinux) {
                return System.getenv().getOrDefault("COMPUTERNAME", System.getenv().getOrDefault("HOSTNAME", ""));
            }
        }
    }

    private static Optional<Path> notes() {
        return StudioFolder.path().map(folder -> folder.resolve(NOTES));
    }
}
