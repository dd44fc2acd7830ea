package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.torch.TorchSettings;

/// The model that an adapter was trained on, for formats that hold whole weights. Nothing of it is read by any other.
/// @param torch how PyTorch is loaded, which multiplies the adapter into the weights
public record ExportBaseModel(ModelReference model, BaseModelHashes hashes, TorchSettings torch) {
    /// The model, with the very weights that the adapter was trained on. May read all of them once.
    /// @throws Failure.Incompatible when they are others
    DiffusionModel openMatching(AdapterFile adapter) throws Failure {
        DiffusionModel found = model.open();
        adapter.requireFits(found);
        String hash = hashes.hash(found, adapter.components());
        if (!hash.equals(adapter.base().hash())) {
            throw new Failure.Incompatible(model.path() + ": expected the weights that the adapter was trained on ("
                    + adapter.base().hash() + "), found others (" + hash
                    + "), of which the differences would be other ones; put the model back, or export for this program");
        }
        return found;
    }
}
