package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.interop.AdapterTensorKey;
import atomstudio.tuning.interop.KeyConvention;
import atomstudio.tuning.interop.LayerDelta;
import atomstudio.tuning.interop.ModelFamily;
import atomstudio.tuning.interop.PeftConfigs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// A LoRA of another program, or a related adapter ([AdapterKind]), in any key format of [KeyConvention]. Its keys are
/// matched to layers per model: tensors without a matching layer are ignored with a warning, unless most have none.
/// @param tensors      by key, scaled and completed as a peft configuration requires ([PeftConfigs])
/// @param otherTensors keys and shapes of the file's tensors that belong to no adapter
/// @param hash         hexadecimal SHA-256 of the tensors' bytes, in key order
public record ExternalAdapter(Path file, Map<String, Tensor> tensors, Map<String, Shape> otherTensors, String hash)
        implements AdapterSource {
    private static final int MAX_LISTED = 5;
    /// Parameters that belong to every layer.
    private static final Set<String> SHARED_PARAMETERS = Set.of(AdapterKind.VERA_A, AdapterKind.VERA_B);

    public ExternalAdapter {
        tensors = Map.copyOf(tensors);
        otherTensors = Map.copyOf(otherTensors);
    }

    /// Whether an open file contains an adapter of another program.
    public static boolean matches(TensorFile file) {
        return !AdapterFile.matches(file)
                && file.tensors().keySet().stream().anyMatch(key -> AdapterTensorKey.parse(key).isPresent());
    }

    /// @throws Failure.Incompatible for an unsupported kind of adapter
    /// @throws Failure.Unreadable as [#requireValid]
    static ExternalAdapter of(TensorFile file) throws Failure {
        Optional<String> unsupported = AdapterKind.unsupportedReason(file.tensors().keySet());
        if (unsupported.isPresent()) throw new Failure.Incompatible(file.file() + ": " + unsupported.get());
        Map<String, Shape> otherTensors = new TreeMap<>();
        Map<String, Tensor> tensors = read(file, otherTensors);
        PeftConfigs configs = PeftConfigs.of(file);
        try {
            Map<String, Double> factors = configs.factors(tensors);
            Map<String, Tensor> markers = configs.markers(tensors);
            String hash = hash(file, tensors.keySet(), factors, markers);
            factors.forEach((name, factor) -> tensors.compute(name, (_, tensor) -> tensor.scaled(factor)));
            tensors.putAll(markers);
            return new ExternalAdapter(file.file(), tensors, otherTensors, hash);
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file.file() + ": " + e.getMessage(), e);
        }
    }

    /// Checks the tensors of an adapter, also of a kind that is not supported.
    /// @throws Failure.Unreadable if one is empty, has no numeric type or contains NaN or infinity, or if two are the
    ///     same parameter
    static void requireValid(TensorFile file) throws Failure {
        read(file, new TreeMap<>());
    }

    /// The adapter's tensors by key.
    /// @param otherTensors gets the shapes of those that belong to no adapter
    private static Map<String, Tensor> read(TensorFile file, Map<String, Shape> otherTensors) throws Failure {
        Map<String, Tensor> tensors = new TreeMap<>();
        Map<AdapterTensorKey, String> parsed = new HashMap<>();
        for (TensorInfo info : file.tensors().values()) {
            if (BundledEmbeddings.token(info).isPresent() || BundledEmbeddings.isTokenIds(info)) continue;
            Optional<AdapterTensorKey> key = AdapterTensorKey.parse(info.name());
            String other = key.isEmpty() ? null : parsed.put(key.get().canonical(), info.name());
            if (other != null)
                throw new Failure.Unreadable(file.file() + ": " + sameParameter(other, info.name()));
            if (key.isPresent()) tensors.put(info.name(), readFinite(file, info));
            else otherTensors.put(info.name(), info.shape());
        }
        return tensors;
    }

    private static String sameParameter(String key, String other) {
        return SafeText.of(key) + " and " + SafeText.of(other)
                + " are the same parameter of one layer; the file contains more than one adapter";
    }

    private static Tensor readFinite(TensorFile file, TensorInfo info) throws Failure {
        if (!info.dtype().isReadable())
            throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name())
                    + ": expected a numeric type, found " + info.dtype());
        if (info.shape().elements() > Integer.MAX_VALUE - 8)
            throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name()) + " " + info.shape()
                    + " is larger than any layer's update");
        if (info.shape().elements() == 0)
            throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name())
                    + ": expected at least one value, found an empty tensor " + info.shape()
                    + "; an adapter of rank 0 changes nothing, train or download it again");
        Tensor tensor = file.read(info.name());
        for (float value : tensor.data())
            if (!Float.isFinite(value))
                throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name()) + " contains " + value
                        + "; the file is damaged, download it again");
        return tensor;
    }

    private static String hash(TensorFile file, Iterable<String> names, Map<String, Double> factors,
            Map<String, Tensor> markers) {
        Sha256 hash = new Sha256();
        for (String name : names) hash.add(file.bytes(name));
        if (!factors.isEmpty()) hash.add(StandardCharsets.UTF_8.encode(factors.toString()));
        markers.forEach((name, marker) -> hash.add(StandardCharsets.UTF_8.encode(name + "=" + marker.data()[0])));
        return hash.hex();
    }

    @Override
    public Adapter toAdapter(String name, DiffusionModel model) throws Failure {
        Map<String, Adaptation> adaptations = new HashMap<>();
        Map<String, Tensor> values = new HashMap<>();
        fit(model).deltas().forEach((layer, delta) -> {
            adaptations.put(layer, delta.adaptation());
            delta.values().forEach((parameter, value) -> values.put(layer + "." + parameter, value));
        });
        return new Adapter(name, hash, new LayerDelta.PerLayerAdaptation(adaptations), values);
    }

    @Override
    public void requireFits(DiffusionModel model) throws Failure {
        fit(model);
    }

    @Override
    public List<String> warnings(DiffusionModel model) throws Failure {
        List<String> ignored = new ArrayList<>(otherTensors.keySet());
        ignored.addAll(fit(model).unmatched().keySet());
        if (ignored.isEmpty()) return List.of();
        return List.of(file + ": " + model.name() + " has no layer for "
                + (ignored.size() == 1 ? "a tensor" : ignored.size() + " tensors")
                + " of this adapter (ignored): "
                + firstFew(ignored.stream().sorted().map(SafeText::of).toList(), ", "));
    }

    private LayerMatch fit(DiffusionModel model) throws Failure {
        try {
            return LayerMatch.of(this, model);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(file + ": " + e.getMessage());
        }
    }

    /// At most [#MAX_LISTED] items, then "and N more".
    static String firstFew(List<String> all, String separator) {
        String suffix = all.size() > MAX_LISTED ? separator + "and " + (all.size() - MAX_LISTED) + " more" : "";
        return String.join(separator, all.subList(0, Math.min(MAX_LISTED, all.size()))) + suffix;
    }

    /// Number of layers in the file, whether or not a model has them.
    public int layerCount() {
        return (int) tensors.keySet()
                .stream()
                .map(key -> AdapterTensorKey.parse(key).orElseThrow())
                .filter(key -> !SHARED_PARAMETERS.contains(key.parameter()))
                .map(AdapterTensorKey::layer)
                .distinct()
                .count();
    }

    /// The kind of adapter, for messages.
    public String kind() {
        return AdapterKind.title(tensors.keySet()
                .stream()
                .map(key -> AdapterTensorKey.parse(key).orElseThrow().parameter())
                .collect(Collectors.toSet()));
    }

    /// Empty: the file does not store trigger words.
    @Override
    public String triggerWords() {
        return "";
    }

    @Override
    public String triggerWord() {
        return "";
    }

    @Override
    public byte[] toBytes(DType dtype) {
        return SafetensorsWriter.toBytes(tensors, Map.of(), dtype);
    }

    @Override
    public long parameterCount() {
        return tensors.values().stream().mapToLong(tensor -> tensor.data().length).sum();
    }

    /// An adapter matched to a model: the deltas of its layers, and the tensors without a matching layer.
    /// @param deltas    by layer name
    /// @param tensors   of the matched layers, by layer name and [AdapterTensorKey#parameter]
    /// @param unmatched by key
    record LayerMatch(Map<String, LayerDelta> deltas, Map<String, Map<String, Tensor>> tensors,
            Map<String, Shape> unmatched) {
        /// @throws Failure.Incompatible if a tensor does not fit its layer, if most tensors have no layer, or if the
        ///     adapter is for another kind of model
        static LayerMatch of(ExternalAdapter adapter, DiffusionModel model) throws Failure.Incompatible {
            return new LayerMatcher(adapter, model).match();
        }

        /// Assigns an adapter's tensors to a model's layers.
        private static final class LayerMatcher {
            private final ExternalAdapter adapter;
            private final DiffusionModel model;
            private final Map<Layer, Map<String, Tensor>> tensorsByLayer = new HashMap<>();
            private final Map<Layer, Map<String, String>> keysByLayer = new HashMap<>();
            private final Map<String, Tensor> shared = new HashMap<>();
            private final Map<String, Shape> unmatched = new TreeMap<>();
            private final Map<String, Shape> mismatched = new TreeMap<>();
            private final List<String> problems = new ArrayList<>();
            private final TreeSet<String> missingLayers = new TreeSet<>();

            LayerMatcher(ExternalAdapter adapter, DiffusionModel model) {
                this.adapter = adapter;
                this.model = model;
            }

            LayerMatch match() throws Failure.Incompatible {
                KeyConvention.LayerIndex layers = new KeyConvention.LayerIndex(model.trainableLayers());
                new TreeMap<>(adapter.tensors()).forEach((key, tensor) -> assign(layers, key, tensor));
                for (Map<String, Tensor> tensors : tensorsByLayer.values())
                    if (tensors.containsKey(AdapterKind.VERA_LAMBDA_D)) tensors.putAll(shared);
                Map<String, LayerDelta> deltas = new TreeMap<>();
                Map<String, Map<String, Tensor>> matched = new TreeMap<>();
                tensorsByLayer.forEach((layer, tensors) -> matched.put(layer.name(), tensors));
                tensorsByLayer.forEach((layer, tensors) -> {
                    try {
                        deltas.put(layer.name(), LayerDelta.of(layer, tensors));
                    } catch (IllegalArgumentException | ArithmeticException e) {
                        problems.add(layer.name() + ": " + e.getMessage());
                        keysByLayer.get(layer)
                                .values()
                                .forEach(key -> mismatched.put(key, adapter.tensors().get(key).shape()));
                    }
                });
                requireMatchingModel(deltas.size());
                return new LayerMatch(deltas, matched, unmatched);
            }

            private void assign(KeyConvention.LayerIndex layers, String key, Tensor tensor) {
                AdapterTensorKey name = AdapterTensorKey.parse(key).orElseThrow();
                if (SHARED_PARAMETERS.contains(name.parameter())) {
                    shared.put(name.parameter(), tensor);
                    return;
                }
                Optional<Layer> layer = layers.find(name.layer());
                if (layer.isEmpty()) {
                    unmatched.put(key, tensor.shape());
                    missingLayers.add(name.layer());
                    return;
                }
                tensorsByLayer.computeIfAbsent(layer.get(), _ -> new HashMap<>()).put(name.parameter(), tensor);
                String previous = keysByLayer.computeIfAbsent(layer.get(), _ -> new HashMap<>())
                        .put(name.parameter(), key);
                boolean isSecondName = layer.get().kind() == Layer.Kind.NORM && previous != null
                        && tensor.equals(adapter.tensors().get(previous)); // of the last norm, for A1111
                if (previous != null && !isSecondName)
                    problems.add(layer.get().name() + ": " + sameParameter(previous, key));
            }

            private void requireMatchingModel(int matchedCount) throws Failure.Incompatible {
                Map<String, Shape> unexpected = new TreeMap<>(unmatched);
                unexpected.putAll(mismatched);
                unexpected.putAll(adapter.otherTensors());
                boolean otherFamily = ModelFamily.detectByName(unexpected).isPresent();
                if (!otherFamily && problems.isEmpty() && matchedCount > 0 && matchedCount >= missingLayers.size())
                    return;
                List<String> reasons = new ArrayList<>(problems.stream().sorted().toList());
                unmatched.keySet().forEach(key -> reasons.add(SafeText.of(key) + ": the model has no such layer"));
                adapter.otherTensors()
                        .keySet()
                        .stream()
                        .sorted()
                        .forEach(key -> reasons.add(SafeText.of(key) + ": belongs to no adapter"));
                Optional<ModelFamily.Evidence> family = ModelFamily.detect(unexpected);
                String intendedFor = family.map(evidence -> " for " + evidence.text(unexpected.get(evidence.key())))
                        .orElse("");
                int total = matchedCount + problems.size() + missingLayers.size();
                throw new Failure.Incompatible(
                        "is " + adapter.kind() + intendedFor + " and does not fit " + model.name() + ", "
                                + (problems.size() + missingLayers.size()) + " of " + total + " layers differ:\n  "
                                + ExternalAdapter.firstFew(reasons, "\n  ")
                                + "\nUse it with a model of the kind it was trained on.");
            }
        }
    }
}
