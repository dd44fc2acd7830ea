package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Component;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A trained adapter in Atom Studio's format: safetensors in which parameters of the same name and shape are stacked in
/// one tensor (`atoms.M` (52, 9, 9)), in the order of layers in the metadata. It has no date, path or duration, so that
/// equal runs give equal bytes.
/// @param layers the adapted layers, in the network's order
/// @param values the parameters, keyed `LAYER.PARAMETER`
public record AdapterFile(MethodSettings method, BaseModel base, Trigger trigger, TrainingSummary training,
        List<AdaptedLayer> layers, Map<String, Tensor> values) implements AdapterSource {
    /// Key of the rows of a textual inversion in `values`.
    public static final String EMBEDDING_ROWS = TextualInversion.TOKEN_EMBEDDING + ".rows";

    public record TrainingSummary(int steps, double learningRate, long seed) {}

    private static final String PLACEHOLDER_HASH = "0".repeat(64);

    public AdapterFile {
        layers = List.copyOf(layers);
        values = Map.copyOf(values);
    }

    /// Whether the metadata of an open file declares this format.
    public static boolean matches(TensorFile file) {
        return AdapterFormat.FORMAT.equals(file.metadata().get("format"));
    }

    /// @throws Failure.Unreadable if the file is missing, damaged or in another format
    /// @throws Failure.Incompatible if a newer version wrote it
    public static AdapterFile read(Path file) throws Failure {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            return of(tensors);
        }
    }

    /// As [#read], from an open file.
    public static AdapterFile of(TensorFile tensors) throws Failure {
        return AdapterFormat.read(tensors);
    }

    /// @throws Failure.Unwritable if the disk is full; an existing file is kept
    public void write(Path file) throws Failure {
        AdapterFormat.write(this, file, Map.of(), Map.of());
    }

    /// Writes a checkpoint: this adapter with additional tensors and metadata of the training, readable as an adapter.
    /// @param training tensors whose names start with `training.`, as do the keys of `metadata`
    public void writeCheckpoint(Path file, Map<String, Tensor> training, Map<String, String> metadata) throws Failure {
        AdapterFormat.write(this, file, training, metadata);
    }

    /// Size in bytes of the file that `write` creates.
    public long fileSize() {
        return AdapterFormat.fileSize(this);
    }

    /// Size in bytes of the file that training a model with these layers will create.
    public static long predictedFileSize(MethodSettings settings, String model, List<Layer> layers) {
        TuningMethod method = settings.method();
        Map<String, Shape> values = new HashMap<>();
        for (Layer layer : layers)
            method.storedShapes(layer).forEach((parameter, shape) -> values.put(layer.name() + "." + parameter, shape));
        TrainingSummary defaults = new TrainingSummary(settings.choice().steps(), settings.choice().learningRate(), 0);
        return AdapterFormat.fileSize(new AdapterFile(settings, new BaseModel(model, PLACEHOLDER_HASH),
                new Trigger("sks", "thing"), defaults, AdaptedLayer.of(method, layers), Map.of()), values);
    }

    /// Elements of all stored parameters, including frozen ones.
    @Override
    public long parameterCount() {
        return values.values().stream().mapToLong(value -> value.data().length).sum();
    }

    /// The adapter for an engine; parameters that the file does not store are derived from the model's weights.
    /// @throws Failure.Incompatible if a derived parameter differs from that at training
    @Override
    public Adapter toAdapter(String name, DiffusionModel model) throws Failure {
        ParameterLayout layout = ParameterLayout.of(method.method(), model.layers(Component.UNET));
        if (layout.derived().isEmpty()) return toAdapterWithoutDerived(name);
        try (Checkpoint weights = model.openCheckpoint(Component.UNET)) {
            return new Adapter(name, AdapterFormat.hash(this), method.method(),
                    layout.withDerived(values, layer -> weights.read(layer.weightKey())), embeddingToken());
        } catch (IllegalArgumentException e) {
            throw new Failure.Incompatible("the adapter was trained on " + base.name() + " and cannot be used with "
                    + model.name() + ": " + e.getMessage());
        }
    }

    /// The adapter for an engine that computes the derived parameters itself.
    public Adapter toAdapterWithoutDerived(String name) {
        return new Adapter(name, AdapterFormat.hash(this), method.method(), values, embeddingToken());
    }

    @Override
    public void requireFits(DiffusionModel model) throws Failure {
        compatibilityWarning(model.name(), model.trainableLayers(), Optional.empty());
    }

    @Override
    public List<String> warnings(DiffusionModel model) {
        return base.merged()
                .map(merged -> "the adapter was trained on " + base.title() + ": merge " + merged.text() + " into "
                        + model.name() + " and use the merged model, or the result differs")
                .stream()
                .toList();
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
    public byte[] toBytes(DType dtype) {
        return AdapterFormat.toBytes(this, dtype);
    }

    /// The token of a textual inversion in this adapter.
    public Optional<Adapter.EmbeddingToken> embeddingToken() {
        return Optional.ofNullable(values.get(EMBEDDING_ROWS))
                .map(rows -> new Adapter.EmbeddingToken(trigger.token(), Math.toIntExact(rows.shape().size(0))));
    }

    /// The model components whose weights it was trained on: the UNet, and those of all adapted layers.
    public Set<Component> components() {
        Set<Component> components = new TreeSet<>(Set.of(Component.UNET));
        for (AdaptedLayer layer : layers) components.add(layer.component());
        return components;
    }

    /// Checks the adapter against a model's layers. Returns a warning if it fits but was trained on other weights, such
    /// as another fine-tune of the base or the same weights in another precision.
    /// @param network all trainable layers of the model
    /// @param hash    of the model's weights in the adapter's components, if known
    /// @throws Failure.Incompatible that names every layer that does not fit
    public Optional<String> compatibilityWarning(String model, List<Layer> network, Optional<String> hash)
            throws Failure.Incompatible {
        TuningMethod tuningMethod = method.method();
        Map<String, Layer> byName = new HashMap<>();
        network.forEach(layer -> byName.put(layer.name(), layer));
        List<String> problems = new ArrayList<>();
        for (AdaptedLayer adapted : layers)
            problems.addAll(problems(adapted, byName.remove(adapted.name()), tuningMethod));
        for (Layer layer : network) {
            if (byName.containsKey(layer.name()) && components().contains(layer.component())
                    && tuningMethod.tunes(layer))
                problems.add(layer.name() + ": trained by " + method.name() + ", missing in the adapter");
        }
        if (!problems.isEmpty()) {
            throw new Failure.Incompatible("the adapter was trained on " + base.name() + " and does not fit " + model
                    + ", whose layers differ:\n  "
                    + String.join("\n  ", problems) + "\nUse it with " + base.name() + " or a model derived from it.");
        }
        if (hash.isEmpty() || hash.get().equals(base.hash())) return Optional.empty();
        return Optional.of("the adapter was trained on " + base.name() + " (" + shortHash(base.hash()) + "); " + model
                + " (" + shortHash(hash.get())
                + ") has the same layers with other weights, so results may differ");
    }

    private List<String> problems(AdaptedLayer adapted, @Nullable Layer layer, TuningMethod tuningMethod) {
        if (layer == null) return List.of(adapted.name() + ": the model has no such layer");
        if (!layer.weightShape().equals(adapted.weight()))
            return List.of(adapted.name() + ": expected a weight of " + adapted.weight() + ", the model's has "
                    + layer.weightShape());
        List<String> problems = new ArrayList<>();
        tuningMethod.storedShapes(layer).forEach((parameter, shape) -> {
            String key = layer.name() + "." + parameter;
            Tensor value = values.get(key);
            if (value == null) problems.add(key + ": expected " + shape + ", missing in the adapter");
            if (value != null && !value.shape().equals(shape))
                problems.add(key + ": expected " + shape + ", found " + value.shape());
        });
        return problems;
    }

    private static String shortHash(String hash) {
        return Stream.of(hash.split(BaseModel.HASH_SEPARATOR))
                .map(each -> each.substring(0, Math.min(10, each.length())))
                .collect(Collectors.joining(BaseModel.HASH_SEPARATOR));
    }
}
