package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// SHA-256 of whole files, the model hash of other programs and sites, cached in a file by path, size and time.
public record FileHashes(Path cacheFile) {
    private static final int BUFFER = 1 << 20;

    /// The hexadecimal hash. May read the whole file: gigabytes take seconds.
    public String hash(Path file) throws Failure {
        String key = "all of " + HashCache.key(List.of(file));
        return new HashCache(cacheFile).computeIfAbsent(key, () -> compute(file));
    }

    /// The hash without the cache.
    public static String compute(Path file) throws Failure {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) digest.update(buffer, 0, read);
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
