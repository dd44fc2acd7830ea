package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.method.GloraPattern;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.method.GloraSupernet;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.RestrictedMethod;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.search.StructureSpace;
import atomstudio.tuning.torch.DenoisingLoss;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A supernet that is open for evaluation.
record Supernet(RunFolder folder, TrainingSetup setup, RestrictedMethod method, AdapterFile adapter,
        StructureSpace space) {
    static Supernet of(RunFolder folder, TrainingSetup setup) throws Failure {
        if (!(setup.layout().method() instanceof RestrictedMethod restricted)
                || !(restricted.method() instanceof GloraSupernet supernet))
            throw new Failure.Incompatible(folder.folder() + ": expected a run of a supernet, found method "
                    + setup.info().method().combinedName()
                    + "; train one by the method glora-terms with the structure "
                    + "\"supernet\"");
        AdapterFile adapter = AdapterFile.read(folder.checkpoint());
        List<Layer> layers = setup.layers().stream().filter(restricted::tunes).toList();
        return new Supernet(folder, setup, restricted, adapter, new StructureSpace(layers, supernet.rank()));
    }

    GloraSupernet supernet() {
        return (GloraSupernet) method.method();
    }

    double loss(DenoisingLoss loss, Dataset heldOut, float[] parameters, List<GloraStructure> structures)
            throws Failure {
        RestrictedMethod sampled = new RestrictedMethod(supernet().with(space.byLayer(structures)),
                method.layers());
        return new Validation.HeldOut(heldOut, (point, batch) -> loss.loss(point, batch, sampled))
                .evaluate(parameters, Optional.empty());
    }

    /// The structures with their part of the parameters.
    AdapterFile adapter(List<GloraStructure> structures) {
        Map<String, GloraStructure> byLayer = space.byLayer(structures);
        MethodSettings settings = adapter.method()
                .with(MethodSetting.STRUCTURE, GloraPattern.of(byLayer).toString());
        Map<String, Tensor> values = new HashMap<>();
        for (Layer layer : space.layers())
            supernet().extracted(layer, byLayer.get(layer.name()),
                    parameter -> adapter.values().get(layer.name() + "." + parameter))
                    .forEach((parameter, value) -> values.put(layer.name() + "." + parameter, value));
        return new AdapterFile(settings, adapter.base(), adapter.trigger(), adapter.training(),
                AdaptedLayer.of(settings.method(), setup.layers()), values);
    }
}
