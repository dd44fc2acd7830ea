package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.foreign.ForeignChange;
import atomstudio.tuning.foreign.ForeignLayers;
import atomstudio.tuning.foreign.TensorName;
import atomstudio.tuning.foreign.TrainedFor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/// Another program's adapter beside a model: the layers' changes, and the tensors that the model has no layer for.
/// @param changes  by the layers' names
/// @param unplaced by their names in the file
record ForeignFit(Map<String, ForeignChange> changes, Map<String, Shape> unplaced) {
    /// @throws Failure.Incompatible when numbers do not fit a layer, when most of it has no layer, or when it is for models of another kind
    static ForeignFit of(ForeignAdapter adapter, DiffusionModel model) throws Failure.Incompatible {
        return new Placing(adapter, model).fit();
    }

    /// One adapter's tensors on their way to one model's layers.
    private static final class Placing {
        private final ForeignAdapter adapter;
        private final DiffusionModel model;
        private final Map<Layer, Map<String, Tensor>> numbers = new HashMap<>();
        private final Map<Layer, Map<String, String>> keys = new HashMap<>();
        private final Map<String, Shape> unplaced = new TreeMap<>();
        private final Map<String, Shape> misfitting = new TreeMap<>();
        private final List<String> wrong = new ArrayList<>();
        private final TreeSet<String> missing = new TreeSet<>();

        Placing(ForeignAdapter adapter, DiffusionModel model) {
            this.adapter = adapter;
            this.model = model;
        }

        ForeignFit fit() throws Failure.Incompatible {
            ForeignLayers layers = new ForeignLayers(model.trainableLayers());
            new TreeMap<>(adapter.tensors()).forEach((key, tensor) -> place(layers, key, tensor));
            Map<String, ForeignChange> changes = new TreeMap<>();
            numbers.forEach((layer, own) -> {
                try {
                    changes.put(layer.name(), ForeignChange.of(layer, own));
                } catch (IllegalArgumentException | ArithmeticException e) {
                    wrong.add(layer.name() + ": " + e.getMessage());
                    keys.get(layer).values().forEach(key -> misfitting.put(key, adapter.tensors().get(key).shape()));
                }
            });
            refuseWhatIsForAnother(changes.size());
            return new ForeignFit(changes, unplaced);
        }

        private void place(ForeignLayers layers, String key, Tensor tensor) {
            TensorName name = TensorName.parse(key).orElseThrow();
            Optional<Layer> layer = layers.find(name.layer());
            if (layer.isEmpty()) {
                unplaced.put(key, tensor.shape());
                missing.add(name.layer());
                return;
            }
            numbers.computeIfAbsent(layer.get(), _ -> new HashMap<>()).put(name.number(), tensor);
            String before = keys.computeIfAbsent(layer.get(), _ -> new HashMap<>()).put(name.number(), key);
            if (before != null) wrong.add(layer.get().name() + ": " + SafeText.of(before) + " and " + SafeText.of(key) + " are the same number of one layer; the file holds more than one adapter");
        }

        private void refuseWhatIsForAnother(int fitting) throws Failure.Incompatible {
            Map<String, Shape> strange = new TreeMap<>(unplaced);
            strange.putAll(misfitting);
            strange.putAll(adapter.others());
            boolean another = TrainedFor.byName(strange).isPresent();
            if (!another && wrong.isEmpty() && fitting > 0 && fitting >= missing.size()) return;
            List<String> reasons = new ArrayList<>(wrong.stream().sorted().toList());
            unplaced.keySet().forEach(key -> reasons.add(SafeText.of(key) + ": the model has no such layer"));
            adapter.others().keySet().stream().sorted().forEach(key -> reasons.add(SafeText.of(key) + ": is no tensor of an adapter"));
            Optional<TrainedFor.Evidence> kind = TrainedFor.of(strange);
            String made = kind.map(evidence -> " for " + evidence.text(strange.get(evidence.key()))).orElse("");
            int all = fitting + wrong.size() + missing.size();
            throw new Failure.Incompatible("is " + adapter.kind() + made + " and does not fit " + model.name() + ", " + (wrong.size() + missing.size()) + " of " + all + " layers differ:\n  "
                    + ForeignAdapter.few(reasons, "\n  ") + "\nUse it with a model of the kind that it was trained on.");
        }
    }
}
