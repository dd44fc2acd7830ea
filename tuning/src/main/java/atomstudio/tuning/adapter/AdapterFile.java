package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelComponent;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TextualInversion;
import atomstudio.tuning.method.TuningMethod;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Trained numbers in our own format: safetensors whose numbers of equal meaning and shape are stacked in one tensor
/// (`atoms.M` (52,9,9)), in the order of layers that the metadata give. No date, path or duration: equal runs make
/// equal bytes.
/// @param layers the tuned layers, in the network's order
/// @param values the numbers, keyed `LAYER.SLOT`
public record AdapterFile(MethodSettings method, BaseModel base, Trigger trigger, TrainingSummary training,
        List<AdaptedLayer> layers, Map<String, Tensor> values) implements AdapterSource {
    /// Key of the rows of a textual inversion.
    public static final String EMBEDDING_ROWS = TextualInversion.TOKEN_EMBEDDING + ".rows";

    /// How it was trained.
    public record TrainingSummary(int steps, double learningRate, long seed) {}

    private static final String PLACEHOLDER_HASH = "0".repeat(64);

    public AdapterFile {
        layers = List.copyOf(layers);
        values = Map.copyOf(values);
    }

    /// Whether an open file says that it is an adapter of ours.
    public static boolean matches(TensorFile file) {
        return AdapterFormat.FORMAT.equals(file.metadata().get("format"));
    }

    /// @throws Failure.Unreadable when the file is missing, damaged, or no adapter of ours
    /// @throws Failure.Incompatible when a newer version wrote it
    public static AdapterFile read(Path file) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            return of(tensors);
        }
    }

    /// The same of an open file.
    public static AdapterFile of(TensorFile tensors) throws Failure {
        return AdapterFormat.read(tensors);
    }

    /// @throws Failure.Unwritable when the disk is full; an old file is kept
    public void write(Path file) throws Failure {
        AdapterFormat.write(this, file, Map.of(), Map.of());
    }

    /// Writes a checkpoint: this adapter, readable as such, with tensors and metadata of training beside it.
    /// @param training tensors and metadata whose names start with `training.`
    public void writeCheckpoint(Path file, Map<String, Tensor> training, Map<String, String> metadata) throws Failure {
        AdapterFormat.write(this, file, training, metadata);
    }

    /// Bytes of the file that `write` makes.
    public long bytes() {
        return AdapterFormat.fileSize(this);
    }

    /// Bytes of the file that a method's adapter of a model with these layers will have.
    public static long bytes(MethodSettings settings, String model, List<Layer> layers) {
        TuningMethod method = settings.method();
        Map<String, Shape> values = new HashMap<>();
        for (Layer layer : layers)
            method.storedShapes(layer).forEach((slot, shape) -> values.put(layer.name() + "." + slot, shape));
        TrainingSummary defaults = new TrainingSummary(settings.choice().steps(), settings.choice().learningRate(), 0);
        return AdapterFormat.fileSize(new AdapterFile(settings, new BaseModel(model, PLACEHOLDER_HASH),
                new Trigger("sks", "thing"), defaults, AdaptedLayer.of(method, layers), Map.of()), values);
    }

    /// Numbers in all values together, frozen ones included.
    @Override
    public long parameterCount() {
        return values.values().stream().mapToLong(value -> value.data().length).sum();
    }

    /// For an engine; what the file does not hold is derived from the model's weights.
    /// @throws Failure.Incompatible when that comes out otherwise than when the adapter was trained
    @Override
    public Adapter toAdapter(String name, DiffusionModel model) throws Failure {
        ParameterLayout layout = ParameterLayout.of(method.method(), model.layers(ModelComponent.UNET));
        if (layout.derived().isEmpty()) return toAdapterWithoutDerived(name);
        try (Checkpoint weights = model.openCheckpoint(ModelComponent.UNET)) {
            return new Adapter(name, AdapterFormat.hash(this), method.method(),
                    layout.withDerived(values, weights::read), embeddingToken());
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("the adapter was trained on " + base.name() + " and cannot be used with "
                    + model.name() + ": " + e.getMessage());
        }
    }

    /// For an engine that has derived by itself what the file does not hold.
    public Adapter toAdapterWithoutDerived(String name) {
        return new Adapter(name, AdapterFormat.hash(this), method.method(), values, embeddingToken());
    }

    @Override
    public void requireFits(DiffusionModel model) throws Failure {
        compatibilityWarning(model.name(), model.trainableLayers(), Optional.empty());
    }

    @Override
    public String triggerWords() {
        return trigger.text();
    }

    @Override
    public String triggerWord() {
        return trigger.token();
    }

    @Override
    public byte[] bytes(DType dtype) {
        return AdapterFormat.bytes(this, dtype);
    }

    /// The token, where it stands for rows of the text encoder's table that the adapter brings.
    public Optional<Adapter.EmbeddingToken> embeddingToken() {
        return Optional.ofNullable(values.get(EMBEDDING_ROWS))
                .map(rows -> new Adapter.EmbeddingToken(trigger.token(), Math.toIntExact(rows.shape().size(0))));
    }

    /// The parts of a model whose layers it changes, and whose weights it was therefore trained on: the UNet always.
    public Set<ModelComponent> components() {
        Set<ModelComponent> components = EnumSet.of(ModelComponent.UNET);
        for (AdaptedLayer layer : layers) components.add(ModelComponent.ofLayer(layer.name()));
        return components;
    }

    /// Whether it can be used on a model with these layers. A warning where it fits but was trained on other weights:
    /// a relative of the base, or the same weights in another precision.
    /// @param network every layer of the model that could be tuned
    /// @param hash    of the model's weights in the adapter's parts, where known by now
    /// @throws Failure.Incompatible that names every layer that does not fit
    public Optional<String> compatibilityWarning(String model, List<Layer> network, Optional<String> hash)
            throws Failure.Incompatible {
        TuningMethod tuningMethod = method.method();
        Map<String, Layer> byName = new HashMap<>();
        network.forEach(layer -> byName.put(layer.name(), layer));
        List<String> problems = new ArrayList<>();
        for (AdaptedLayer adapted : layers) {
            Layer layer = byName.remove(adapted.name());
            if (layer == null) problems.add(adapted.name() + ": the model has no such layer");
            else
                if (!layer.weightShape().equals(adapted.weight()))
                    problems.add(adapted.name() + ": expected a weight of " + adapted.weight() + ", the model's has "
                            + layer.weightShape());
                else
                    checkShapes(tuningMethod, layer, problems);
        }
        for (Layer layer : network) {
            if (byName.containsKey(layer.name()) && components().contains(ModelComponent.ofLayer(layer.name()))
                    && tuningMethod.tunes(layer))
                problems.add(layer.name() + ": tuned by " + method.name() + ", not in the adapter");
        }
        if (!problems.isEmpty()) {
            throw new Failure.Incompatible("the adapter was trained on " + base.name() + " and does not fit " + model
                    + ", whose layers differ:\n  "
                    + String.join("\n  ", problems) + "\nUse it with " + base.name() + " or a model made from it.");
        }
        if (hash.isEmpty() || hash.get().equals(base.hash())) return Optional.empty();
        return Optional.of("the adapter was trained on " + base.name() + " (" + shortHash(base.hash()) + "); " + model
                + " (" + shortHash(hash.get())
                + ") has the same layers with other weights, so the result may differ from what was trained");
    }

    private void checkShapes(TuningMethod tuningMethod, Layer layer, List<String> problems) {
        Map<String, Shape> expected = tuningMethod.storedShapes(layer);
        expected.forEach((slot, shape) -> {
            Tensor value = values.get(layer.name() + "." + slot);
            if (value == null) problems.add(layer.name() + "." + slot + ": expected " + shape + ", not in the adapter");
            else
                if (!value.shape().equals(shape))
                    problems.add(layer.name() + "." + slot + ": expected " + shape + ", found " + value.shape());
        });
    }

    private static String shortHash(String hash) {
        return Stream.of(hash.split(BaseModel.HASH_SEPARATOR))
                .map(each -> each.substring(0, Math.min(10, each.length())))
                .collect(Collectors.joining(BaseModel.HASH_SEPARATOR));
    }
}
