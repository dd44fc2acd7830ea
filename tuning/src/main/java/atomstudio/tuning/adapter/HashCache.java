package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Hashes that took long to compute, in a file, by all that would change with them. What cannot be remembered is
/// computed again; forgetting is no failure.
record HashCache(Path file) {
    private static final int BLOCK_BYTES = 4096;
    private static final int MAX_BLOCKS = 1024;

    Optional<String> get(String key) {
        JsonObject entries = entries();
        return entries.has(key) && entries.get(key).isJsonPrimitive() ? Optional.of(entries.get(key).getAsString())
                : Optional.empty();
    }

    void put(String key, String hash) {
        JsonObject entries = entries();
        entries.addProperty(key, hash);
        try {
            AtomicFile.write(file, out -> out.write(entries.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (Failure ignored) {
            // The next one computes it again.
        }
    }

    private JsonObject entries() {
        try {
            return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return new JsonObject();
        }
    }

    /// Path, size and times of files, and where the system has them the inode and the time of its last change: a file
    /// that was changed in place and given its old time back is another one.
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

    /// SHA-256 of blocks at equal distances, for systems that tell no more of a file than its size and a time that
    /// can be set.
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
