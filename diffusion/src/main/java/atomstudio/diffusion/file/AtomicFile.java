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

/// Files written beside their target, forced to the disk and moved over it: a reader sees the old file or the whole
/// new one.
public final class AtomicFile {
    private static final String PART_SUFFIX = ".part";
    private static final Set<StandardOpenOption> CREATE_NEW_FILE = Set.of(StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE);
    /// As Linux follows.
    private static final int MAX_LINKS = 40;

    private AtomicFile() {}

    /// Whether a file of this name is one that somebody is writing, or was when killed.
    public static boolean isPartFile(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith(".") && name.endsWith(PART_SUFFIX);
    }

    /// Removes what writers that were killed left in a folder and those in it. To be called only where nobody else
    /// writes there.
    public static void deletePartFiles(Path folder) throws Failure {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(AtomicFile::isPartFile).toList()) Files.deleteIfExists(file);
        } catch (UncheckedIOException e) {
            throw new Failure.Unwritable(
                    folder + ": what a killed run left there cannot be removed: " + reason(e.getCause()), e.getCause());
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": what a killed run left there cannot be removed: " + reason(e), e);
        }
    }

    @FunctionalInterface
    public interface ContentWriter {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Writes `content` to `file`, making its folder where missing; where `file` is a link, the file that it points
    /// to is replaced. What was there keeps its rights. Of several writers at once the last one's content stays,
    /// whole. Whatever `content` throws goes on to the caller.
    /// @throws Failure.Unwritable when that fails; the old file is kept and nothing is left beside it
    public static void write(Path file, ContentWriter content) throws Failure {
        try {
            Path target = resolveLinks(file.toAbsolutePath());
            Path folder = StudioFolder.createDirectories(target.getParent());
            Set<PosixFilePermission> permissions = permissions(target);
            // Made anew under a name that nobody can guess: never through a link that somebody laid there.
            try (TemporaryPath partFile = TemporaryPath
                    .register(folder.resolve("." + TemporaryPath.randomSuffix() + PART_SUFFIX))) {
                try (FileChannel channel = FileChannel.open(partFile.path(), CREATE_NEW_FILE,
                        StudioFolder.fileAttributes(target));
                        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
                    content.writeTo(out);
                    out.flush();
                    channel.force(true);
                }
                if (!permissions.isEmpty()) Files.setPosixFilePermissions(partFile.path(), permissions);
                move(partFile.path(), target);
            }
            sync(folder);
        } catch (IOException e) {
            throw new Failure.Unwritable(file + ": cannot be written: " + reason(e)
                    + "; free some space or choose another place, nothing was overwritten", e);
        }
    }

    /// Where a link leads to in the end, there or not yet.
    private static Path resolveLinks(Path file) throws IOException {
        Path target = file;
        for (int links = 0; Files.isSymbolicLink(target); links++) {
            if (links == MAX_LINKS) throw new FileSystemException(file.toString(), null, "its links lead in a circle");
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

    /// The move itself is on the disk only with the folder.
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException notHere) {
            // Windows opens no folders, and some network disks sync none.
        }
    }

    private static String reason(IOException e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        return switch (e) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "no such folder";
            case FileAlreadyExistsException there -> there.getFile() + " is no folder";
            case FileSystemException known when known.getReason() != null -> known.getReason();
            default -> e.getClass() == IOException.class ? message
                    : e.getClass().getSimpleName().replace("Exception", "") + " " + message;
        };
    }
}
