package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// SHA-256 of whole files, by which other programs and their sites know models, remembered in a file by path, size
/// and time.
public record FileHashes(Path cacheFile) {
    /// In hex. May read every byte: gigabytes take seconds.
    public String hash(Path file) throws Failure {
        HashCache cache = new HashCache(cacheFile);
        String key = key(file);
        Optional<String> cached = cache.get(key);
        if (cached.isPresent()) return cached.get();
        String hash = Sha256.of(file);
        cache.put(key, hash);
        return hash;
    }

    private static String key(Path file) throws Failure {
        return "all of " + HashCache.key(List.of(file));
    }
}
