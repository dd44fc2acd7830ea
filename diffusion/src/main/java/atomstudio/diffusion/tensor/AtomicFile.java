package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/// Files written beside their target, forced to the disk and moved over it: a reader sees the old file or the whole new one.
public final class AtomicFile {
    private static final String PART = ".part";

    private AtomicFile() {}

    /// Whether a file of this name is one that somebody is writing, or was when killed.
    public static boolean isPart(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith(".") && name.endsWith(PART);
    }

    /// Removes what writers that were killed left in a folder. To be called only where nobody else writes there.
    public static void sweep(Path folder) throws Failure {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(AtomicFile::isPart).toList()) Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": what a killed run left there cannot be removed: " + reason(e), e);
        }
    }

    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Writes `content` to `file`, making its folder where missing.
    /// @throws Failure.Unwritable when that fails; the old file is kept and nothing is left beside it
    public static void write(Path file, Content content) throws Failure {
        Path target = file.toAbsolutePath();
        Path beside = target.resolveSibling("." + target.getFileName() + "." + ProcessHandle.current().pid() + PART);
        try {
            Files.createDirectories(target.getParent());
            try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
                    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
                content.writeTo(out);
                out.flush();
                channel.force(true);
            }
            move(beside, target);
        } catch (IOException e) {
            delete(beside, e);
            throw new Failure.Unwritable(file + ": cannot be written: " + reason(e) + "; free some space or choose another place, nothing was overwritten", e);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void delete(Path beside, IOException cause) {
        try {
            Files.deleteIfExists(beside);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    private static String reason(IOException e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        return e.getClass() == IOException.class ? message : e.getClass().getSimpleName().replace("Exception", "") + " " + message;
    }
}
