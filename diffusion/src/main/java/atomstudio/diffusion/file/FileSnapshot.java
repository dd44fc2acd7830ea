package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/// A file's size, modification time and identity when it was mapped. Reading a mapped file beyond a new, smaller end
/// kills the process (SIGBUS) and cannot be handled in native code, so the file is checked before every use; a change
/// during a use is not detected.
/// @param fileKey the file system's identity of the file, if any; it differs after the file was replaced
public record FileSnapshot(Path file, long size, FileTime modified, @Nullable Object fileKey) {
    public static FileSnapshot of(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileSnapshot(file, attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
    }

    /// @throws Failure.Unreadable if the file changed or is missing
    public void checkUnchanged() throws Failure.Unreadable {
        try {
            FileSnapshot current = of(file);
            if (!current.equals(this)) throw changed("expected " + describe() + ", found " + current.describe());
        } catch (IOException e) {
            throw changed("expected " + describe() + ", found nothing");
        }
    }

    private Failure.Unreadable changed(String details) {
        return new Failure.Unreadable(file + ": changed while it was in use: " + details
                + "; wait until the program that writes it has finished, then try again");
    }

    private String describe() {
        return size + " bytes modified at " + modified;
    }
}
