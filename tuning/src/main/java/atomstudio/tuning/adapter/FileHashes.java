package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import java.nio.file.Path;
import java.util.List;

/// SHA-256 of whole files, the model hash of other programs and sites, cached in a file by path, size and time.
public record FileHashes(Path cacheFile) {
    /// The hexadecimal hash. May read the whole file: gigabytes take seconds.
    public String hash(Path file) throws Failure {
        String key = "all of " + HashCache.key(List.of(file));
        return new HashCache(cacheFile).computeIfAbsent(key, () -> Sha256.of(file));
    }
}
