package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;

/// The base model of an adapter, for formats that contain full weight diffs. Other formats do not read it.
/// @param torch for computing the diffs with PyTorch
public record ExportBaseModel(ModelReference model, BaseModelHashes hashes, TorchSettings torch) {
    /// Opens the model and checks that its weights are those of the training. May read all of them.
    /// @throws Failure.Incompatible if they differ
    public DiffusionModel openMatching(AdapterFile adapter) throws Failure {
        if (adapter.base().merged().isPresent()) {
            String merged = adapter.base().merged().get().text();
            throw new Failure.Incompatible("the adapter was trained on " + adapter.base().title()
                    + ", so its weight changes belong to the merged weights: export a merged "
                    + "model of the base model and " + merged + " first, or export for this program");
        }
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
}
