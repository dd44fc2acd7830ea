package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.foreign.AdapterTensorKey;
import atomstudio.tuning.foreign.LayerDelta;
import atomstudio.tuning.foreign.LayerIndex;
import atomstudio.tuning.foreign.ModelFamily;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/// Another program's adapter beside a model: the layers' changes, and the tensors that the model has no layer for.
/// @param deltas  by the layers' names
/// @param unmatched by their names in the file
record LayerMatch(Map<String, LayerDelta> deltas, Map<String, Shape> unmatched) {
    /// @throws Failure.Incompatible when numbers do not fit a layer, when most of it has no layer, or when it is for models of another kind
    static LayerMatch of(ExternalAdapter adapter, DiffusionModel model) throws Failure.Incompatible {
        return new LayerMatcher(adapter, model).match();
    }

    /// One adapter's tensors on their way to one model's layers.
    private static final class LayerMatcher {
        private final ExternalAdapter adapter;
        private final DiffusionModel model;
        private final Map<Layer, Map<String, Tensor>> tensorsByLayer = new HashMap<>();
        private final Map<Layer, Map<String, String>> keysByLayer = new HashMap<>();
        private final Map<String, Shape> unmatched = new TreeMap<>();
        private final Map<String, Shape> mismatched = new TreeMap<>();
        private final List<String> problems = new ArrayList<>();
        private final TreeSet<String> missingLayers = new TreeSet<>();

        LayerMatcher(ExternalAdapter adapter, DiffusionModel model) {
            this.adapter = adapter;
            this.model = model;
        }

        LayerMatch match() throws Failure.Incompatible {
            LayerIndex layers = new LayerIndex(model.trainableLayers());
            new TreeMap<>(adapter.tensors()).forEach((key, tensor) -> assign(layers, key, tensor));
            Map<String, LayerDelta> deltas = new TreeMap<>();
            tensorsByLayer.forEach((layer, tensors) -> {
                try {
                    deltas.put(layer.name(), LayerDelta.of(layer, tensors));
                } catch (IllegalArgumentException | ArithmeticException e) {
                    problems.add(layer.name() + ": " + e.getMessage());
                    keysByLayer.get(layer).values().forEach(key -> mismatched.put(key, adapter.tensors().get(key).shape()));
                }
            });
            requireMatchingModel(deltas.size());
            return new LayerMatch(deltas, unmatched);
        }

        private void assign(LayerIndex layers, String key, Tensor tensor) {
            AdapterTensorKey name = AdapterTensorKey.parse(key).orElseThrow();
            Optional<Layer> layer = layers.find(name.layer());
            if (layer.isEmpty()) {
                unmatched.put(key, tensor.shape());
                missingLayers.add(name.layer());
                return;
            }
            tensorsByLayer.computeIfAbsent(layer.get(), _ -> new HashMap<>()).put(name.parameter(), tensor);
            String previous = keysByLayer.computeIfAbsent(layer.get(), _ -> new HashMap<>()).put(name.parameter(), key);
            if (previous != null) problems.add(layer.get().name() + ": " + SafeText.of(previous) + " and " + SafeText.of(key) + " are the same number of one layer; the file holds more than one adapter");
        }

        private void requireMatchingModel(int matchedCount) throws Failure.Incompatible {
            Map<String, Shape> unexpected = new TreeMap<>(unmatched);
            unexpected.putAll(mismatched);
            unexpected.putAll(adapter.otherTensors());
            boolean otherFamily = ModelFamily.detectByName(unexpected).isPresent();
            if (!otherFamily && problems.isEmpty() && matchedCount > 0 && matchedCount >= missingLayers.size()) return;
            List<String> reasons = new ArrayList<>(problems.stream().sorted().toList());
            unmatched.keySet().forEach(key -> reasons.add(SafeText.of(key) + ": the model has no such layer"));
            adapter.otherTensors().keySet().stream().sorted().forEach(key -> reasons.add(SafeText.of(key) + ": is no tensor of an adapter"));
            Optional<ModelFamily.Evidence> family = ModelFamily.detect(unexpected);
            String intendedFor = family.map(evidence -> " for " + evidence.text(unexpected.get(evidence.key()))).orElse("");
            int total = matchedCount + problems.size() + missingLayers.size();
            throw new Failure.Incompatible("is " + adapter.kind() + intendedFor + " and does not fit " + model.name() + ", " + (problems.size() + missingLayers.size()) + " of " + total + " layers differ:\n  "
                    + ExternalAdapter.firstFew(reasons, "\n  ") + "\nUse it with a model of the kind that it was trained on.");
        }
    }
}
