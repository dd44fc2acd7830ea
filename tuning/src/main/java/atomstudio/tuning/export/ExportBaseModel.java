package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSource;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The base model of an adapter, for formats that contain full weight diffs, and the image of its file.
/// @param torch      for computing the diffs with PyTorch
/// @param candidates files among which the adapter that was merged into the model before the training is found
/// @param thumbnail  a JPEG as a data URL, for the metadata
public record ExportBaseModel(ModelReference model, BaseModelHashes hashes, TorchSettings torch,
        List<Path> candidates, Optional<String> thumbnail) {
    public ExportBaseModel {
        candidates = List.copyOf(candidates);
    }

    public ExportBaseModel(ModelReference model, BaseModelHashes hashes, TorchSettings torch) {
        this(model, hashes, torch, List.of());
    }

    public ExportBaseModel(ModelReference model, BaseModelHashes hashes, TorchSettings torch, List<Path> candidates) {
        this(model, hashes, torch, candidates, Optional.empty());
    }

    public ExportBaseModel withThumbnail(Optional<String> other) {
        return new ExportBaseModel(model, hashes, torch, candidates, other);
    }

    /// Opens the model and checks that its weights are those of the training. May read all of them.
    /// @throws Failure.Incompatible if they differ
    public DiffusionModel openMatching(AdapterFile adapter) throws Failure {
        if (adapter.base().merged().isPresent()) {
            String merged = adapter.base().merged().get().text();
            throw new Failure.Incompatible("the adapter was trained on " + adapter.base().title()
                    + ", so its weight changes belong to the merged weights: export it merged, which includes "
                    + merged + ", or export for this program");
        }
        return openForMerging(adapter);
    }

    /// As [#openMatching], also if another adapter was merged in before the training ([#mergedBefore]).
    public DiffusionModel openForMerging(AdapterFile adapter) throws Failure {
        DiffusionModel found = model.open();
        adapter.requireFits(found);
        String hash = hashes.hash(found, adapter.components());
        if (!hash.equals(adapter.base().hash())) {
            throw new Failure.Incompatible(model.path() + ": expected the weights that the adapter was trained on ("
                    + adapter.base().hash() + "), found others (" + hash
                    + "), which would give other diffs; restore the model, or export for this program");
        }
        return found;
    }

    /// The adapter that was merged into the model before the training, with its weight; none if there was none.
    /// @throws Failure.Incompatible that names it if no candidate is this file
    public List<WeightedAdapter> mergedBefore(AdapterFile adapter, DiffusionModel opened) throws Failure {
        if (adapter.base().merged().isEmpty()) return List.of();
        BaseModel.MergedAdapter merged = adapter.base().merged().get();
        for (Path file : candidates)
            if (Files.isRegularFile(file) && Sha256.of(file).equals(merged.sha256()))
                return AdapterSource.weighted(file, merged.weight(), opened);
        throw new Failure.Incompatible("the adapter was trained on " + adapter.base().title() + ": expected "
                + merged.fileName() + " (SHA-256 " + merged.sha256() + ") beside it, found no such file; put it there, "
                + "or give both adapters");
    }
}
