package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.stream.Stream;

/// Atomic file writes: the content goes to a temporary file beside the target, is synced and renamed over it, so that
/// a reader sees either the old file or the complete new one.
public final class AtomicFile {
    private static final String PART_SUFFIX = ".part";
    private static final Set<StandardOpenOption> CREATE_NEW_FILE = Set.of(StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
    /// The limit of Linux.
    private static final int MAX_LINKS = 40;

    private AtomicFile() {}

    /// Whether the name is that of an unfinished write.
    public static boolean isPartFile(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith(".") && name.endsWith(PART_SUFFIX);
    }

    /// Deletes the unfinished files of killed processes in a folder and its subfolders. No other process may write
    /// there at the time.
    public static void deletePartFiles(Path folder) throws Failure {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(AtomicFile::isPartFile).toList()) Files.deleteIfExists(file);
        } catch (UncheckedIOException e) {
            throw new Failure.Unwritable(
                    folder + ": unfinished files of a killed run cannot be deleted: " + reason(e.getCause()),
                    e.getCause());
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": unfinished files of a killed run cannot be deleted: " + reason(e),
                    e);
        }
    }

    /// Writes the content of a file.
    @FunctionalInterface
    public interface ContentWriter {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Writes `content` to `file` and creates missing folders. If `file` is a symbolic link, its target is replaced.
    /// Existing permissions are kept. With concurrent writers the last one wins. Exceptions of `content` are passed on.
    /// @throws Failure.Unwritable if writing fails; the old file is kept and no temporary file remains
    public static void write(Path file, ContentWriter content) throws Failure {
        try {
            Path target = resolveLinks(file.toAbsolutePath());
            Path folder = StudioFolder.createDirectories(target.getParent());
            Set<PosixFilePermission> permissions = permissions(target);
            // A random name, created exclusively: an attacker cannot place a link there first.
            Path part = folder.resolve("." + TemporaryPath.randomSuffix() + PART_SUFFIX);
            try (TemporaryPath _ = TemporaryPath.register(part)) {
                try (FileChannel channel = FileChannel.open(part, CREATE_NEW_FILE,
                        StudioFolder.fileAttributes(target));
                        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
                    content.writeTo(out);
                    out.flush();
                    channel.force(true);
                }
                if (!permissions.isEmpty()) Files.setPosixFilePermissions(part, permissions);
                move(part, target);
            }
            sync(folder);
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be written: " + reason(e)
                    + "; free some space or choose another folder; nothing was overwritten", e);
        }
    }

    /// Follows symbolic links to the final target, which need not exist.
    private static Path resolveLinks(Path file) throws IOException {
        Path target = file;
        for (int links = 0; Files.isSymbolicLink(target); links++) {
            if (links == MAX_LINKS) throw new FileSystemException(file.toString(), null, "circular symbolic links");
            target = target.resolveSibling(Files.readSymbolicLink(target));
        }
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new FileSystemException(target.toString(), null,
                    "expected a file, found " + (Files.isDirectory(target) ? "a folder" : "a device or a pipe"));
        }
        return target;
    }

    private static Set<PosixFilePermission> permissions(Path file) throws IOException {
        if (!Files.exists(file) || StudioFolder.fileAttributes(file).length > 0
                || !file.getFileSystem().supportedFileAttributeViews().contains("posix"))
            return Set.of();
        return Files.getPosixFilePermissions(file);
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /// Syncs the folder, without which the rename may be lost.
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException unsupported) {
            // Windows cannot open folders, and some network file systems cannot sync them.
        }
    }

    private static String reason(IOException e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        return switch (e) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "no such folder";
            case FileAlreadyExistsException existing -> existing.getFile() + " is not a folder";
            case FileSystemException known when known.getReason() != null -> known.getReason();
            default -> e.getClass() == IOException.class ? message
                    : e.getClass().getSimpleName().replace("Exception", "") + " " + message;
        };
    }
}
