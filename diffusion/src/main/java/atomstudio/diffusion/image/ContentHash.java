package atomstudio.diffusion.image;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256 of a file's bytes, lower-case hex: pictures count by content, whatever their names.
public final class ContentHash {
    private ContentHash() {}

    public static String of(Path file) throws Failure {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] part = new byte[1 << 16];
            for (int n = in.read(part); n >= 0; n = in.read(part)) digest.update(part, 0, n);
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException missing) {
            throw new Failure.Unreadable(file + ": could not be read (" + missing.getMessage() + ").", missing);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java has SHA-256", impossible);
        }
    }
}
