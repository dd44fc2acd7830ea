package atomstudio.diffusion.file;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// SHA-256 in lower-case hexadecimal.
public final class Sha256 {
    private static final int PART = 1 << 20;

    private final MessageDigest digest;

    public Sha256() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// Of a whole file. Reads every byte: gigabytes take seconds.
    public static String of(Path file) throws Failure {
        Sha256 hash = new Sha256();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] part = new byte[PART];
            for (int n = in.read(part); n >= 0; n = in.read(part)) hash.digest.update(part, 0, n);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        return hash.hex();
    }

    public static String of(byte[] bytes) {
        return new Sha256().add(ByteBuffer.wrap(bytes)).hex();
    }

    public Sha256 add(ByteBuffer bytes) {
        digest.update(bytes);
        return this;
    }

    /// Of any length.
    public Sha256 add(MemorySegment bytes) {
        for (long at = 0; at < bytes.byteSize(); at += PART) {
            digest.update(bytes.asSlice(at, Math.min(PART, bytes.byteSize() - at)).asByteBuffer());
        }
        return this;
    }

    /// Ends it.
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
