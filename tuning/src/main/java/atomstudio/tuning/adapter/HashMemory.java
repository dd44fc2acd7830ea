package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.AtomicFile;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Hashes that took long to compute, in a file, by all that would change with them. What cannot be remembered is computed again; forgetting is no failure.
record HashMemory(Path file) {
    Optional<String> get(String key) {
        JsonObject all = all();
        return all.has(key) && all.get(key).isJsonPrimitive() ? Optional.of(all.get(key).getAsString()) : Optional.empty();
    }

    void put(String key, String hash) {
        JsonObject all = all();
        all.addProperty(key, hash);
        try {
            AtomicFile.write(file, out -> out.write(all.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (Failure forgotten) {
            // The next one computes it again.
        }
    }

    private JsonObject all() {
        try {
            return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return new JsonObject();
        }
    }

    /// Path, size and time of files.
    static String key(List<Path> files) throws Failure {
        StringBuilder key = new StringBuilder();
        for (Path file : files) {
            try {
                Path real = file.toRealPath();
                key.append(real).append('|').append(Files.size(real)).append('|').append(Files.getLastModifiedTime(real).toMillis()).append('\n');
            } catch (IOException e) {
                throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
            }
        }
        return key.toString();
    }
}
