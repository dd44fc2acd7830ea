package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/// What a file was when it was mapped. Where a mapped file shrinks, reading what is gone ends the whole process
/// (SIGBUS), and native code gives no chance to do otherwise: so it is looked at before every use, which leaves the
/// time of one use in which it must not change.
/// @param fileKey the file system's own for the file, where it has one: another after it was replaced
public record FileSnapshot(Path file, long size, FileTime modified, @Nullable Object fileKey) {
    public static FileSnapshot of(Path file) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileSnapshot(file, attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
    }

    /// @throws Failure.Unreadable when the file is not what it was
    public void checkUnchanged() throws Failure.Unreadable {
        try {
            FileSnapshot current = of(file);
            if (!current.equals(this)) throw changed("expected " + this.describe() + ", found " + current.describe());
        } catch (IOException e) {
            throw changed("expected " + describe() + ", found nothing");
        }
    }

    private Failure.Unreadable changed(String details) {
        return new Failure.Unreadable(file + ": changed while it was in use: " + details
                + "; nothing more is made with it. Let whatever writes it end, then start again");
    }

    private String describe() {
        return size + " bytes of " + modified;
    }
}
