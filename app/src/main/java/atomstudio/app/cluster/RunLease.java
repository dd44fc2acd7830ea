package atomstudio.app.cluster;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// The right to work in a folder, e.g. that of a run, for one process on any machine: a file created exclusively and
/// rewritten regularly. A lease whose process ended, or that was not renewed for minutes, is taken over. File locks do
/// not serve, since not every network file system passes them on to other machines.
public final class RunLease implements AutoCloseable {
    private static final String FILE = "lease";
    private static final Duration RENEWAL = Duration.ofSeconds(30);
    /// Without a renewal for so long the owner is taken for dead.
    private static final Duration EXPIRY = Duration.ofMinutes(3);

    private final Path file;
    private final String owner;
    private final FileChannel channel;
    private final Thread renewal;
    private volatile boolean lost;

    private RunLease(Path file, String owner, FileChannel channel) {
        this.file = file;
        this.owner = owner;
        this.channel = channel;
        this.renewal = Thread.ofPlatform().daemon().name("lease of " + file.getParent()).start(this::renew);
    }

    /// Creates the folder and its lease; empty if another process has it.
    public static Optional<RunLease> acquire(Path folder) throws Failure {
        Path file = folder.resolve(FILE);
        String owner = String.join("\n", host(), Long.toString(ProcessHandle.current().pid()), startOf(ProcessHandle
                .current()), UUID.randomUUID().toString(), "");
        try {
            Files.createDirectories(folder);
            if (Files.exists(file) && !removeStale(file)) return Optional.empty();
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            write(channel, owner);
            return Optional.of(new RunLease(file, owner, channel));
        } catch (FileAlreadyExistsException taken) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /// Whether a process that is alive, as far as is known, has the lease.
    public static boolean isHeld(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            return !isStale(file, Files.readString(file));
        } catch (IOException missing) {
            return false;
        }
    }

    /// Whether another process took the lease over, e.g. because this one was suspended.
    public boolean isLost() { return lost; }

    /// @return whether the file is gone
    private static boolean removeStale(Path file) throws IOException {
        try {
            String content = Files.readString(file);
            if (!isStale(file, content)) return false;
            // Of several processes one renames this file; a newer lease renamed by mistake is put back.
            Path moved = file.resolveSibling("." + FILE + "-" + UUID.randomUUID());
            Files.move(file, moved);
            boolean isStaleOne = Files.readString(moved).equals(content);
            if (isStaleOne) Files.delete(moved);
            else Files.move(moved, file);
            return isStaleOne;
        } catch (NoSuchFileException gone) {
            return true;
        }
    }

    private static boolean isStale(Path file, String content) throws IOException {
        List<String> lines = content.lines().toList();
        // A damaged lease is one of an unknown machine.
        if (lines.size() >= 4 && lines.get(0).equals(host()) && lines.get(1).matches("\\d{1,18}")) {
            Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(lines.get(1)));
            return process.isEmpty() || !startOf(process.get()).equals(lines.get(2));
        }
        // The age by the file system's clock, which may differ from this machine's.
        Instant renewed = Files.getLastModifiedTime(file).toInstant();
        Path probe = Files.createTempFile(file.getParent(), ".now", "");
        try {
            return Duration.between(renewed, Files.getLastModifiedTime(probe).toInstant()).compareTo(EXPIRY) > 0;
        } finally {
            Files.deleteIfExists(probe);
        }
    }

    /// The machine, and on Linux the container, in which process ids have a meaning.
    private static String host() {
        String name;
        try {
            name = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            name = "unknown";
        }
        try {
            return name + " " + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"));
        } catch (IOException | UnsupportedOperationException notLinux) {
            return name;
        }
    }

    private static String startOf(ProcessHandle process) {
        return process.info().startInstant().map(start -> Long.toString(start.toEpochMilli())).orElse("0");
    }

    private static void write(FileChannel channel, String owner) throws IOException {
        channel.write(ByteBuffer.wrap(owner.getBytes(StandardCharsets.UTF_8)), 0);
        channel.force(true);
    }

    private void renew() {
        try {
            while (!lost) {
                Thread.sleep(RENEWAL);
                lost = !isOwn();
                // Writes to the file that was created here, even if another one has its name now.
                if (!lost) write(channel, owner);
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            lost = true;
        }
    }

    private boolean isOwn() throws IOException {
        try {
            return Files.readString(file).equals(owner);
        } catch (NoSuchFileException taken) {
            return false;
        }
    }

    @Override
    public void close() throws Failure {
        renewal.interrupt();
        try {
            renewal.join();
            channel.close();
            if (isOwn()) Files.deleteIfExists(file);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be deleted: " + e.getMessage(), e);
        }
    }
}
