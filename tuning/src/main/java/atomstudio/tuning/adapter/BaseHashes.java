package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.model.Part;
import atomstudio.diffusion.model.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Hashes of base models, remembered in a file by path, size and time of their weights: a model of gigabytes is read once.
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
        HashMemory known = new HashMemory(memory);
        String key = key(model, part);
        Optional<String> remembered = known.get(key);
        if (remembered.isPresent()) return remembered.get();
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(part))) {
            String hash = checkpoint.hash();
            known.put(key, hash);
            return hash;
        }
    }

    /// The UNet's hash if it is known already.
    public Optional<String> remembered(ModelFolder model) throws Failure {
        return new HashMemory(memory).get(key(model, Part.UNET));
    }

    private static String key(ModelFolder model, Part part) throws Failure {
        return (model.weights(part) instanceof Weights.InFile ? part.folder() + " of " : "") + HashMemory.key(model.weights(part).files());
    }
}
