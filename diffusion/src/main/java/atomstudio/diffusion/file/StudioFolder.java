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

/// The application's data folder, which holds prompts and images: files created in it are readable by their owner only
/// on file systems with POSIX permissions. Files elsewhere get the default permissions.
public final class StudioFolder {
    /// The system property that holds the folder's path; if unset, there is no data folder.
    public static final String PROPERTY = "atomstudio.home";

    private static final Set<PosixFilePermission> FILE_PERMISSIONS = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER_PERMISSIONS = PosixFilePermissions.fromString("rwx------");

    private StudioFolder() {}

    /// The data folder, which need not exist.
    static Optional<Path> path() {
        return Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of);
    }

    /// Whether a path is the data folder or lies in it.
    static boolean contains(Path file) {
        return path().filter(folder -> file.toAbsolutePath().normalize().startsWith(folder)).isPresent();
    }

    /// Creates a folder and its missing parents; owner-only if in the data folder.
    public static Path createDirectories(Path folder) throws IOException {
        if (!contains(folder) || !supportsPosix(folder)) return Files.createDirectories(folder);
        if (Files.isDirectory(folder)) return folder;
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) createDirectories(parent);
        try {
            return Files.createDirectory(folder, ownerOnlyAttributes(folder));
        } catch (FileAlreadyExistsException exists) {
            if (Files.isDirectory(folder)) return folder; // created by another process
            throw exists;
        }
    }

    /// Attributes for a new file: owner-only permissions in the data folder, none elsewhere.
    public static FileAttribute<?>[] fileAttributes(Path file) {
        return contains(file) && supportsPosix(file)
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FILE_PERMISSIONS)}
                : new FileAttribute<?>[0];
    }

    /// Attributes for a new folder with owner-only permissions, wherever it is.
    static FileAttribute<?>[] ownerOnlyAttributes(Path folder) {
        return supportsPosix(folder) ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(FOLDER_PERMISSIONS)}
                : new FileAttribute<?>[0];
    }

    /// Makes an existing file or folder owner-only if it is in the data folder.
    public static void restrictPermissions(Path file) throws IOException {
        if (contains(file) && supportsPosix(file))
            Files.setPosixFilePermissions(file, Files.isDirectory(file) ? FOLDER_PERMISSIONS : FILE_PERMISSIONS);
    }

    /// Creates an empty file with [#fileAttributes] unless it exists, for code that appends to it.
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
