package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A persistent cache of file hashes. Read and write errors are ignored: the hash is computed again.
record HashCache(Path file) {
    private static final int BLOCK_BYTES = 4096;
    private static final int MAX_BLOCKS = 1024;

    /// Computes the hash of a file.
    @FunctionalInterface
    interface Computation {
        String compute() throws Failure;
    }

    String computeIfAbsent(String key, Computation computation) throws Failure {
        Optional<String> cached = get(key);
        if (cached.isPresent()) return cached.get();
        String hash = computation.compute();
        put(key, hash);
        return hash;
    }

    Optional<String> get(String key) {
        JsonObject entries = entries();
        return entries.has(key) && entries.get(key).isJsonPrimitive() ? Optional.of(entries.get(key).getAsString())
                : Optional.empty();
    }

    private void put(String key, String hash) {
        JsonObject entries = entries();
        entries.addProperty(key, hash);
        try {
            AtomicFile.write(file, out -> out.write(entries.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (Failure ignored) {
            // computed again next time
        }
    }

    private JsonObject entries() {
        try {
            return Json.read(file).object();
        } catch (Failure e) {
            return new JsonObject();
        }
    }

    /// A cache key from path, size and modification time, and on Unix the inode and its change time, so that a file
    /// modified in place with its old modification time restored gets another key.
    static String key(List<Path> files) throws Failure {
        StringBuilder key = new StringBuilder();
        for (Path file : files) {
            try {
                Path real = file.toRealPath();
                key.append(real)
                        .append('|')
                        .append(Files.size(real))
                        .append('|')
                        .append(Files.getLastModifiedTime(real).toMillis())
                        .append('|')
                        .append(fileIdentity(real))
                        .append('\n');
            } catch (IOException e) {
                throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
            }
        }
        return key.toString();
    }

    private static String fileIdentity(Path file) throws IOException {
        if (!Files.getFileStore(file).supportsFileAttributeView("unix")) return sampledHash(file);
        Map<String, Object> attributes = Files.readAttributes(file, "unix:ino,ctime");
        return attributes.get("ino") + "|" + attributes.get("ctime");
    }

    /// SHA-256 of evenly spaced blocks, for systems without inode change times.
    private static String sampledHash(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            Sha256 hash = new Sha256();
            long step = Math.max(BLOCK_BYTES, channel.size() / MAX_BLOCKS);
            ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
            for (long offset = 0; offset < channel.size(); offset += step) {
                block.clear();
                channel.read(block, offset);
                hash.add(block.flip());
            }
            return hash.hex();
        }
    }
}
