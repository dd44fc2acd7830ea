package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/// The operating system's lock on a run folder, released when its process ends for any reason. A POSIX lock is also
/// lost when its own process closes any other handle of the file; therefore a file `owner` names the process, which
/// does not test the lock again.
public final class RunLock implements AutoCloseable {
    private static final int MAX_ATTEMPTS = 5;
    private static final long RETRY_MILLIS = 40;

    private final Path folder;
    private final FileChannel channel;

    private RunLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /// @throws Failure.Conflict when a run is active in this folder
    public static RunLock acquire(Path folder) throws Failure {
        try {
            StudioFolder.createDirectories(folder);
            if (isHeld(folder)) throw occupied(folder);
            FileChannel channel = FileChannel.open(StudioFolder.createFile(folder.resolve("lock")),
                    StandardOpenOption.WRITE);
            if (!tryLock(channel)) {
                channel.close();
                throw occupied(folder);
            }
            Files.writeString(StudioFolder.createFile(folder.resolve("owner")), processIdentity());
            return new RunLock(folder, channel);
        } catch (OverlappingFileLockException e) {
            throw occupied(folder);
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    folder + ": cannot be written: " + e.getMessage() + "; choose another folder", e);
        }
    }

    /// Retries for a moment, since `isHeld` in another process holds the lock briefly.
    private static boolean tryLock(FileChannel channel) throws IOException {
        for (int i = 0; i < MAX_ATTEMPTS; i++) {
            if (channel.tryLock() != null) return true;
            try {
                Thread.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return false;
    }

    /// Whether a run is active in this folder, in any process.
    public static boolean isHeld(Path folder) {
        Path lock = folder.resolve("lock");
        if (!Files.exists(lock)) return false;
        if (isOwnedByThisProcess(folder)) return true;
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
                FileLock probe = channel.tryLock()) {
            return probe == null;
        } catch (OverlappingFileLockException e) {
            return true;
        } catch (IOException e) {
            return false; // a finished run on a read-only disk
        }
    }

    private static boolean isOwnedByThisProcess(Path folder) {
        try {
            return Files.readString(folder.resolve("owner")).equals(processIdentity());
        } catch (IOException e) {
            return false;
        }
    }

    /// With the start time, since process ids are reused.
    private static String processIdentity() {
        ProcessHandle process = ProcessHandle.current();
        return process.pid() + " " + process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    public static Failure occupied(Path folder) {
        return new Failure.Conflict(folder
                + ": this run is active in another process; wait for it or stop it, or choose another folder");
    }

    @Override
    public void close() throws Failure {
        try {
            Files.deleteIfExists(folder.resolve("owner"));
            channel.close();
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": the run's lock cannot be released: " + e.getMessage(), e);
        }
    }
}
