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

/// The studio's own folder, which holds prompts and images: what is made in it can be read by its owner only, where
/// the file system knows rights. Files that a person puts elsewhere have the usual rights.
public final class StudioFolder {
    /// The system property that names the folder; without it there is none.
    public static final String PROPERTY = "atomstudio.home";

    private static final Set<PosixFilePermission> FILE_PERMISSIONS = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER_PERMISSIONS = PosixFilePermissions.fromString("rwx------");

    private StudioFolder() {}

    /// The folder, made or not.
    static Optional<Path> path() {
        return Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of);
    }

    /// Whether a file lies in the studio's folder, or is it.
    static boolean contains(Path file) {
        return path().filter(folder -> file.toAbsolutePath().normalize().startsWith(folder)).isPresent();
    }

    /// Makes a folder and what is missing above it; those in the studio's folder, itself included, are made for their
    /// owner only.
    public static Path createDirectories(Path folder) throws IOException {
        if (!contains(folder) || !supportsPosix(folder)) return Files.createDirectories(folder);
        if (Files.isDirectory(folder)) return folder;
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) createDirectories(parent);
        try {
            return Files.createDirectory(folder, ownerOnlyAttributes(folder));
        } catch (FileAlreadyExistsException exists) {
            if (Files.isDirectory(folder)) return folder; // by another process
            throw exists;
        }
    }

    /// The rights that a new file is made with: its owner's in the studio's folder, the usual ones elsewhere.
    public static FileAttribute<?>[] fileAttributes(Path file) {
        return contains(file) && supportsPosix(file)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FILE_PERMISSIONS)}
                : new FileAttribute<?>[0];
    }

    /// The rights of a folder that only its owner may enter, wherever it lies.
    static FileAttribute<?>[] ownerOnlyAttributes(Path folder) {
        return supportsPosix(folder) ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FOLDER_PERMISSIONS)}
                : new FileAttribute<?>[0];
    }

    /// Gives a file or folder that is there the rights of the studio's folder, if it lies in it.
    public static void restrictPermissions(Path file) throws IOException {
        if (contains(file) && supportsPosix(file))
            Files.setPosixFilePermissions(file, Files.isDirectory(file) ? FOLDER_PERMISSIONS : FILE_PERMISSIONS);
    }

    /// Makes an empty file for its owner only where it is not there, so that others may append to it.
    public static Path createFile(Path file) throws IOException {
        createDirectories(file.toAbsolutePath().getParent());
        try {
            return Files.createFile(file, fileAttributes(file));
        } catch (FileAlreadyExistsException exists) {
            return file;
        }
    }

    private static boolean supportsPosix(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
