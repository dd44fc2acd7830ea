package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
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
import java.util.stream.Stream;

/// Hashes of base models, remembered in a file by path, size and time of their weights: a model of gigabytes is read once.
/// What cannot be remembered is computed again; forgetting is no failure.
public record BaseHashes(Path memory) {
    /// SHA-256 of the model's UNet files' bytes after their headers, shards in name order. May read every byte: call it off the way of a person.
    public String of(ModelFolder model) throws Failure {
        Optional<String> remembered = remembered(model);
        if (remembered.isPresent()) return remembered.get();
        String key = key(model);
        String hash;
        try (Checkpoint checkpoint = Checkpoint.open(unet(model), Part.UNET)) {
            hash = checkpoint.hash();
        }
        JsonObject all = all();
        all.addProperty(key, hash);
        try {
            AtomicFile.write(memory, out -> out.write(all.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (Failure.Unwritable e) {
            return hash;
        }
        return hash;
    }

    /// The hash if it is known already.
    public Optional<String> remembered(ModelFolder model) throws Failure {
        JsonObject all = all();
        String key = key(model);
        return all.has(key) && all.get(key).isJsonPrimitive() ? Optional.of(all.get(key).getAsString()) : Optional.empty();
    }

    private JsonObject all() {
        try {
            return JsonParser.parseString(Files.readString(memory)).getAsJsonObject();
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return new JsonObject();
        }
    }

    private static Path unet(ModelFolder model) {
        return model.folder().resolve(Part.UNET.folder());
    }

    /// Everything that would change with the weights.
    private static String key(ModelFolder model) throws Failure {
        StringBuilder key = new StringBuilder();
        try (Stream<Path> list = Files.list(unet(model))) {
            List<Path> files = list.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
            for (Path file : files) {
                Path real = file.toRealPath();
                key.append(real).append('|').append(Files.size(real)).append('|').append(Files.getLastModifiedTime(real).toMillis()).append('\n');
            }
        } catch (IOException e) {
            throw new Failure.Unreadable(unet(model) + ": cannot be listed: " + e.getMessage(), e);
        }
        return key.toString();
    }
}
