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
import java.util.Optional;

/// SHA-256 of whole files, by which other programs and their sites know models, remembered in a file by path, size
/// and time.
public record FileHashes(Path cacheFile) {
    private static final int BUFFER = 1 << 20;

    /// In hex. May read every byte: gigabytes take seconds.
    public String hash(Path file) throws Failure {
        HashCache cache = new HashCache(cacheFile);
        String key = key(file);
        Optional<String> cached = cache.get(key);
        if (cached.isPresent()) return cached.get();
        String hash = compute(file);
        cache.put(key, hash);
        return hash;
    }

    private static String key(Path file) throws Failure {
        return "all of " + HashCache.key(List.of(file));
    }

    /// The same, computed anew.
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
