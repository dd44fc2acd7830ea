package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.model.WeightLocation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Hashes of base models, remembered in a file by path, size and time of their weights: a model of gigabytes is read
/// once.
public record BaseModelHashes(Path cacheFile) {
    /// SHA-256 of the model's UNet files' bytes after their headers, shards in name order. May read every byte: call
    /// it off the way of a person.
    public String hash(DiffusionModel model) throws Failure {
        return hash(model, ModelComponent.UNET);
    }

    /// What names the weights of some parts: their hashes, the UNet's first, joined by hyphens.
    public String hash(DiffusionModel model, Set<ModelComponent> components) throws Failure {
        List<String> hashes = new ArrayList<>();
        for (ModelComponent component : new TreeSet<>(components)) hashes.add(hash(model, component));
        return String.join(BaseModel.HASH_SEPARATOR, hashes);
    }

    private String hash(DiffusionModel model, ModelComponent component) throws Failure {
        HashCache cache = new HashCache(cacheFile);
        String key = key(model, component);
        Optional<String> cached = cache.get(key);
        if (cached.isPresent()) return cached.get();
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(component))) {
            String hash = checkpoint.sha256();
            cache.put(key, hash);
            return hash;
        }
    }

    /// The UNet's hash if it is known already.
    public Optional<String> cached(DiffusionModel model) throws Failure {
        return new HashCache(cacheFile).get(key(model, ModelComponent.UNET));
    }

    private static String key(DiffusionModel model, ModelComponent component) throws Failure {
        return (model.weights(component) instanceof WeightLocation.InFile ? component.folder() + " of " : "")
                + HashCache.key(model.weights(component).files());
    }
}
