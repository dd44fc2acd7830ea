package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.model.Weights;
import atomstudio.diffusion.tensor.AtomicFile;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Hashes of base models, remembered in a file by path, size and time of their weights: a model of gigabytes is read once.
/// What cannot be remembered is computed again; forgetting is no failure.
public record BaseHashes(Path memory) {
    /// SHA-256 of the model's UNet files' bytes after their headers, shards in name order. May read every byte: call it off the way of a person.
    public String of(ModelFolder model) throws Failure {
        return of(model, Part.UNET);
    }

    /// What names the weights of some parts: their hashes, the UNet's first, joined by hyphens.
    public String of(ModelFolder model, Set<Part> parts) throws Failure {
        List<String> hashes = new ArrayList<>();
        for (Part part : new TreeSet<>(parts)) hashes.add(of(model, part));
        return String.join(BaseModel.AND, hashes);
    }

    private String of(ModelFolder model, Part part) throws Failure {
        JsonObject all = all();
        String key = key(model, part);
        if (all.has(key) && all.get(key).isJsonPrimitive()) return all.get(key).getAsString();
        String hash;
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(part))) {
            hash = checkpoint.hash();
        }
        all.addProperty(key, hash);
        try {
            AtomicFile.write(memory, out -> out.write(all.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (Failure.Unwritable e) {
            return hash;
        }
        return hash;
    }

    /// The UNet's hash if it is known already.
    public Optional<String> remembered(ModelFolder model) throws Failure {
        JsonObject all = all();
        String key = key(model, Part.UNET);
        return all.has(key) && all.get(key).isJsonPrimitive() ? Optional.of(all.get(key).getAsString()) : Optional.empty();
    }

    private JsonObject all() {
        try {
            return JsonParser.parseString(Files.readString(memory)).getAsJsonObject();
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return new JsonObject();
        }
    }

    /// Everything that would change with the weights.
    private static String key(ModelFolder model, Part part) throws Failure {
        StringBuilder key = new StringBuilder(model.weights(part) instanceof Weights.InFile ? part.folder() + " of " : "");
        for (Path file : model.weights(part).files()) {
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
