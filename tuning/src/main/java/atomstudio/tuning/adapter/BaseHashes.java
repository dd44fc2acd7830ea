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

/// Hashes of base models, remembered in a file by path, size and time of their weights: a model of gigabytes is read once.
public record BaseHashes(Path memory) {
    /// SHA-256 of the model's UNet files' bytes after their headers, shards in name order. May read every byte: call it off the way of a person.
    public String of(DiffusionModel model) throws Failure {
        return of(model, ModelComponent.UNET);
    }

    /// What names the weights of some parts: their hashes, the UNet's first, joined by hyphens.
    public String of(DiffusionModel model, Set<ModelComponent> parts) throws Failure {
        List<String> hashes = new ArrayList<>();
        for (ModelComponent part : new TreeSet<>(parts)) hashes.add(of(model, part));
        return String.join(BaseModel.AND, hashes);
    }

    private String of(DiffusionModel model, ModelComponent part) throws Failure {
        HashMemory known = new HashMemory(memory);
        String key = key(model, part);
        Optional<String> remembered = known.get(key);
        if (remembered.isPresent()) return remembered.get();
        try (Checkpoint checkpoint = Checkpoint.open(model.weights(part))) {
            String hash = checkpoint.sha256();
            known.put(key, hash);
            return hash;
        }
    }

    /// The UNet's hash if it is known already.
    public Optional<String> remembered(DiffusionModel model) throws Failure {
        return new HashMemory(memory).get(key(model, ModelComponent.UNET));
    }

    private static String key(DiffusionModel model, ModelComponent part) throws Failure {
        return (model.weights(part) instanceof WeightLocation.InFile ? part.folder() + " of " : "") + HashMemory.key(model.weights(part).files());
    }
}
