package atomstudio.diffusion.file;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/// The studio's own folder, which holds prompts and images: what is made in it can be read by its owner only, where the file system knows rights.
/// Files that a person puts elsewhere have the usual rights.
public final class StudioFolder {
    /// The system property that names the folder; without it there is none.
    public static final String PROPERTY = "atomstudio.home";

    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");

    private StudioFolder() {}

    /// The folder, made or not.
    static Optional<Path> path() {
        return Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of);
    }

    /// Whether a file lies in the studio's folder, or is it.
    static boolean holds(Path file) {
        return path().filter(folder -> file.toAbsolutePath().normalize().startsWith(folder)).isPresent();
    }

    /// Makes a folder and what is missing above it; those in the studio's folder, itself included, are made for their owner only.
    public static Path createDirectories(Path folder) throws IOException {
        if (!holds(folder) || !posix(folder)) return Files.createDirectories(folder);
        if (Files.isDirectory(folder)) return folder;
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) createDirectories(parent);
        try {
            return Files.createDirectory(folder, owner(folder));
        } catch (FileAlreadyExistsException made) {
            if (Files.isDirectory(folder)) return folder;               // by another process
            throw made;
        }
    }

    /// The rights that a new file is made with: its owner's in the studio's folder, the usual ones elsewhere.
    public static FileAttribute<?>[] rights(Path file) {
        return holds(file) && posix(file) ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FILE)} : new FileAttribute<?>[0];
    }

    /// The rights of a folder that only its owner may enter, wherever it lies.
    static FileAttribute<?>[] owner(Path folder) {
        return posix(folder) ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FOLDER)} : new FileAttribute<?>[0];
    }

    /// Gives a file or folder that is there the rights of the studio's folder, if it lies in it.
    public static void protect(Path file) throws IOException {
        if (holds(file) && posix(file)) Files.setPosixFilePermissions(file, Files.isDirectory(file) ? FOLDER : FILE);
    }

    /// Makes an empty file for its owner only where it is not there, so that others may append to it.
    public static Path prepare(Path file) throws IOException {
        createDirectories(file.toAbsolutePath().getParent());
        try {
            return Files.createFile(file, rights(file));
        } catch (FileAlreadyExistsException there) {
            return file;
        }
    }

    private static boolean posix(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
