package atomstudio.tuning.export;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.adapter.AdaptedLayer;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSum;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.method.LayerSelector;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.AdapterDeltas;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The weighted sum Σ wᵢ · ΔWᵢ of adapters of any kinds as whole differences. A sum of two LoHa, LoKr or overcomplete
/// atoms is none of that kind: it has as many terms as there are adapters.
public final class SummedDifferences {
    private SummedDifferences() {}

    /// An adapter of method `full` for the layers that the sum changes.
    /// @param base the model to which the changes belong
    /// @throws Failure.Incompatible if an adapter was trained on other weights, or adds biases
    public static AdapterFile of(AdapterSum sum, ExportBaseModel base) throws Failure {
        DiffusionModel model = base.model().open();
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (AdapterSum.Term term : sum.terms()) {
            if (!term.adapter().base().hash().isEmpty()) requireBase(term, base);
            adapters.add(new WeightedAdapter(term.adapter().toAdapter(term.name(), model), term.weight()));
        }
        Map<String, Tensor> values = new HashMap<>();
        List<Layer> changed = new ArrayList<>();
        try (AdapterDeltas deltas = AdapterDeltas.open(model, adapters, base.torch())) {
            for (Layer layer : deltas.layers()) {
                LayerWeights<Tensor> delta = deltas.delta(layer);
                Tensor bias = delta.bias();
                if (bias != null && !layer.hasBias())
                    throw new Failure.Incompatible(layer.name() + ": an adapter adds a bias, and the model has none: "
                            + "the sum cannot be written as differences; use the adapters side by side");
                changed.add(layer);
                values.put(layer.name() + ".weight", delta.weight());
                if (layer.hasBias())
                    values.put(layer.name() + ".bias", bias == null ? Tensor.zeros(layer.biasShape()) : bias);
            }
        }
        MethodSettings settings = new MethodSettings(MethodName.FULL, Map.of(MethodSetting.LAYERS,
                LayerSelector.of(changed, model.trainableLayers()).toString()));
        AdapterFile first = sum.terms().getFirst().adapter();
        AdapterFile unnamed = new AdapterFile(settings, new BaseModel(model.name(), ""), first.trigger(),
                first.training(), AdaptedLayer.of(settings.method(), model.trainableLayers()), values);
        return new AdapterFile(settings,
                new BaseModel(model.name(), base.hashes().hash(model, unnamed.components())), unnamed.trigger(),
                unnamed.training(), unnamed.layers(), values);
    }

    private static void requireBase(AdapterSum.Term term, ExportBaseModel base) throws Failure {
        try {
            base.openMatching(term.adapter());
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(term.name() + ": " + e.getMessage());
        }
    }
}
