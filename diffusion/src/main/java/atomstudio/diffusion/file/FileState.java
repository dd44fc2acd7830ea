package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/// What a file was when it was mapped. Where a mapped file shrinks, reading what is gone ends the whole process (SIGBUS), and native code gives
/// no chance to do otherwise: so it is looked at before every use, which leaves the time of one use in which it must not change.
/// @param key the file system's own for the file, where it has one: another after it was replaced
public record FileState(Path file, long size, FileTime modified, @Nullable Object key) {
    public static FileState of(Path file) throws IOException {
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileState(file, found.size(), found.lastModifiedTime(), found.fileKey());
    }

    /// @throws Failure.Unreadable when the file is not what it was
    public void check() throws Failure.Unreadable {
        try {
            FileState now = of(file);
            if (!now.equals(this)) throw changed("expected " + this.words() + ", found " + now.words());
        } catch (IOException e) {
            throw changed("expected " + words() + ", found nothing");
        }
    }

    private Failure.Unreadable changed(String how) {
        return new Failure.Unreadable(file + ": changed while it was in use: " + how + "; nothing more is made with it. Let whatever writes it end, then start again");
    }

    private String words() {
        return size + " bytes of " + modified;
    }
}
