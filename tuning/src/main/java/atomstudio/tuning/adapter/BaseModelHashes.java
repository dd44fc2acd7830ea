package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.WeightLocation;
import atomstudio.diffusion.ops.Component;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// SHA-256 of base models' weights, cached in a file by path, size and time, so that a model of gigabytes is read once.
public record BaseModelHashes(Path cacheFile) {
    /// SHA-256 of the UNet files' bytes after their headers, shards in name order. May read all of them: not for the UI
    /// thread.
    public String hash(DiffusionModel model) throws Failure {
        return hash(model, Component.UNET);
    }

    /// The hashes of some components, the UNet's first, joined by hyphens.
    public String hash(DiffusionModel model, Set<Component> components) throws Failure {
        List<String> hashes = new ArrayList<>();
        for (Component component : new TreeSet<>(components)) hashes.add(hash(model, component));
        return String.join(BaseModel.HASH_SEPARATOR, hashes);
    }

    private String hash(DiffusionModel model, Component component) throws Failure {
        return new HashCache(cacheFile).computeIfAbsent(key(model, component), () -> {
            try (Checkpoint checkpoint = Checkpoint.open(model.weights(component))) {
                return checkpoint.sha256();
            }
        });
    }

    /// The UNet's hash if it is cached.
    public Optional<String> cached(DiffusionModel model) throws Failure {
        return new HashCache(cacheFile).get(key(model, Component.UNET));
    }

    private static String key(DiffusionModel model, Component component) throws Failure {
        return (model.weights(component) instanceof WeightLocation.InFile ? component.folder() + " of " : "")
                + HashCache.key(model.weights(component).files());
    }
}
