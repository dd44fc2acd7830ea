package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// All numbers that a method brings for a network, in one order: the trained ones as one vector, which is what an optimizer sees.
public record SlotLayout(TuningMethod method, List<Entry> trained, List<Entry> frozen, List<Entry> derived) {
    /// One slot of one layer.
    public record Entry(Layer layer, Slot slot) {
        /// `LAYER.SLOT`.
        public String key() {
            return layer.name() + "." + slot.name();
        }
    }

    public SlotLayout {
        trained = List.copyOf(trained);
        frozen = List.copyOf(frozen);
        derived = List.copyOf(derived);
    }

    public static SlotLayout of(TuningMethod method, List<Layer> layers) {
        List<Entry> trained = new ArrayList<>();
        List<Entry> frozen = new ArrayList<>();
        List<Entry> derived = new ArrayList<>();
        for (Layer layer : layers) for (Slot slot : method.slots(layer)) {
            List<Entry> entries = switch (slot.role()) {
                case TRAINED -> trained;
                case FROZEN -> frozen;
                case DERIVED -> derived;
            };
            entries.add(new Entry(layer, slot));
        }
        return new SlotLayout(method, trained, frozen, derived);
    }

    /// Length of the vector.
    public int size() {
        return Math.toIntExact(trained.stream().mapToLong(entry -> entry.slot.shape().elements()).sum());
    }

    /// Shapes of the vector's consecutive pieces.
    public List<Shape> shapes() {
        return trained.stream().map(entry -> entry.slot.shape()).toList();
    }

    /// Where numbers start from. `weights` gives a tensor of the base model by its key; `classTokens` are the ids of the class word.
    public record Beginning(Function<String, Tensor> weights, long seed, List<Integer> classTokens) {
        public Beginning {
            classTokens = List.copyOf(classTokens);
        }

        private Tensor of(Entry entry, Map<String, Tensor> known) {
            Noise random = new Noise(seed, "start " + entry.key());
            return entry.slot.start().numbers(new Slot.Origin(() -> weights.apply(entry.layer.weightKey()), random, classTokens, slot -> known.get(entry.layer.name() + "." + slot)));
        }
    }

    /// The vector before training.
    public float[] start(Beginning from) {
        Map<String, Tensor> values = new HashMap<>();
        trained.forEach(entry -> values.put(entry.key(), from.of(entry, Map.of())));
        return vector(values);
    }

    /// The numbers that stay as they start, keyed `LAYER.SLOT`.
    public Map<String, Tensor> constants(Beginning from) {
        Map<String, Tensor> values = new HashMap<>();
        frozen.forEach(entry -> values.put(entry.key(), from.of(entry, values)));
        return values;
    }

    /// Stored values with what is derived from them and the base model's weights.
    /// @throws IllegalArgumentException when it comes out otherwise than when the values were made
    public Map<String, Tensor> complete(Map<String, Tensor> stored, Function<String, Tensor> weights) {
        Map<String, Tensor> values = new HashMap<>(stored);
        derive(stored, weights, values::put);
        return values;
    }

    /// What is derived from stored values and the base model's weights, one entry after another, so that none need be kept.
    /// @throws IllegalArgumentException as `complete`
    public void derive(Map<String, Tensor> stored, Function<String, Tensor> weights, BiConsumer<String, Tensor> into) {
        Beginning from = new Beginning(weights, 0, List.of());
        derived.forEach(entry -> into.accept(entry.key(), from.of(entry, stored)));
    }

    /// Numbers that are derived, in all layers together.
    public long derivedNumbers() {
        return derived.stream().mapToLong(entry -> entry.slot.shape().elements()).sum();
    }

    /// The vector of values keyed `LAYER.SLOT`.
    public float[] vector(Map<String, Tensor> values) {
        float[] vector = new float[size()];
        int at = 0;
        for (Entry entry : trained) {
            float[] numbers = values.get(entry.key()).data();
            System.arraycopy(numbers, 0, vector, at, numbers.length);
            at += numbers.length;
        }
        return vector;
    }

    /// The values of a vector, keyed `LAYER.SLOT`.
    public Map<String, Tensor> values(float[] vector) {
        Map<String, Tensor> values = new HashMap<>();
        int at = 0;
        for (Entry entry : trained) {
            int size = Math.toIntExact(entry.slot.shape().elements());
            values.put(entry.key(), new Tensor(entry.slot.shape(), Arrays.copyOfRange(vector, at, at + size)));
            at += size;
        }
        return values;
    }
}
