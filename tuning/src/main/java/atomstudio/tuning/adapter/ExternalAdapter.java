package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.foreign.AdapterKind;
import atomstudio.tuning.foreign.AdapterTensorKey;
import atomstudio.tuning.foreign.KeyConvention;
import atomstudio.tuning.foreign.PeftConfigs;
import atomstudio.tuning.foreign.PerLayerAdaptation;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A LoRA of another program, or one of its relatives ([AdapterKind]), in any of the dialects of [KeyConvention]. Which layers it means shows only
/// beside a model: what the model has no layer for is left out and told, unless most of it has none.
/// @param tensors by their names in the file, multiplied by what a configuration of peft says beside them ([PeftConfigs])
/// @param otherTensors  tensors of the file that no adapter has, with their shapes
/// @param hash    hexadecimal SHA-256 of the tensors' bytes, in the order of their names
public record ExternalAdapter(Path file, Map<String, Tensor> tensors, Map<String, Shape> otherTensors, String hash) implements AdapterSource {
    private static final int MAX_LISTED = 5;

    public ExternalAdapter {
        tensors = Map.copyOf(tensors);
        otherTensors = Map.copyOf(otherTensors);
    }

    /// Whether an open file holds an adapter of another program.
    public static boolean matches(TensorFile file) {
        return !AdapterFile.matches(file) && file.tensors().keySet().stream().anyMatch(key -> AdapterTensorKey.parse(key).isPresent());
    }

    /// @throws Failure.Incompatible when it is of a kind that cannot be read
    /// @throws Failure.Unreadable when its numbers are none
    static ExternalAdapter of(TensorFile file) throws Failure {
        Optional<String> unsupported = AdapterKind.unsupportedReason(file.tensors().keySet());
        if (unsupported.isPresent()) throw new Failure.Incompatible(file.file() + ": " + unsupported.get());
        Map<String, Tensor> tensors = new TreeMap<>();
        Map<String, Shape> otherTensors = new TreeMap<>();
        for (TensorInfo info : file.tensors().values()) {
            if (BundledEmbeddings.token(info).isPresent() || BundledEmbeddings.isTokenIds(info)) continue;
            if (AdapterTensorKey.parse(info.name()).isPresent()) tensors.put(info.name(), numbers(file, info));
            else otherTensors.put(info.name(), info.shape());
        }
        Map<String, Double> factors = peftFactors(file, tensors);
        String hash = hash(file, tensors.keySet(), factors);
        factors.forEach((name, factor) -> tensors.compute(name, (_, tensor) -> scaled(tensor, factor)));
        return new ExternalAdapter(file.file(), tensors, otherTensors, hash);
    }

    private static Tensor numbers(TensorFile file, TensorInfo info) throws Failure {
        if (!info.dtype().isReadable()) throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name()) + ": expected numbers, found elements of type " + info.dtype());
        if (info.shape().elements() > Integer.MAX_VALUE - 8) throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name()) + " " + info.shape() + " is larger than any layer's change");
        Tensor tensor = file.read(info.name());
        for (float value : tensor.data()) if (!Float.isFinite(value)) throw new Failure.Unreadable(file.file() + ": " + SafeText.of(info.name()) + " holds " + value + "; the file is damaged, get it again");
        return tensor;
    }

    /// What configurations beside the tensors multiply into them.
    private static Map<String, Double> peftFactors(TensorFile file, Map<String, Tensor> tensors) throws Failure {
        try {
            return PeftConfigs.of(file).factors(tensors);
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file.file() + ": " + e.getMessage(), e);
        }
    }

    private static Tensor scaled(Tensor tensor, double factor) {
        float[] data = tensor.data().clone();
        for (int i = 0; i < data.length; i++) data[i] *= (float) factor;
        return new Tensor(tensor.shape(), data);
    }

    private static String hash(TensorFile file, Iterable<String> names, Map<String, Double> factors) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String name : names) {
                MemorySegment bytes = file.bytes(name);
                if (bytes.byteSize() > 0) digest.update(bytes.asByteBuffer());
            }
            if (!factors.isEmpty()) digest.update(factors.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override public Adapter toAdapter(String name, DiffusionModel model) throws Failure {
        Map<String, Adaptation> adaptations = new HashMap<>();
        Map<String, Tensor> values = new HashMap<>();
        fit(model).deltas().forEach((layer, delta) -> {
            adaptations.put(layer, delta.adaptation());
            delta.values().forEach((slot, value) -> values.put(layer + "." + slot, value));
        });
        return new Adapter(name, hash, new PerLayerAdaptation(adaptations), values);
    }

    @Override public void requireFits(DiffusionModel model) throws Failure {
        fit(model);
    }

    @Override public List<String> warnings(DiffusionModel model) throws Failure {
        List<String> ignored = new ArrayList<>(otherTensors.keySet());
        ignored.addAll(fit(model).unmatched().keySet());
        if (ignored.isEmpty()) return List.of();
        return List.of(file + ": " + model.name() + " has no place for " + (ignored.size() == 1 ? "a tensor" : ignored.size() + " tensors") + " of this adapter, which is used without: " + firstFew(ignored.stream().sorted().map(SafeText::of).toList(), ", "));
    }

    private LayerMatch fit(DiffusionModel model) throws Failure {
        try {
            return LayerMatch.of(this, model);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(file + ": " + e.getMessage());
        }
    }

    /// The first few of many.
    static String firstFew(List<String> all, String separator) {
        String suffix = all.size() > MAX_LISTED ? separator + "and " + (all.size() - MAX_LISTED) + " more" : "";
        return String.join(separator, all.subList(0, Math.min(MAX_LISTED, all.size()))) + suffix;
    }

    /// Layers that it changes, or would change in the model that it was trained on.
    public int layerCount() {
        return (int) tensors.keySet().stream().map(key -> AdapterTensorKey.parse(key).orElseThrow().layer()).distinct().count();
    }

    /// What kind of adapter it is, for messages.
    public String kind() {
        return AdapterKind.title(tensors.keySet().stream().map(key -> AdapterTensorKey.parse(key).orElseThrow().parameter()).collect(Collectors.toSet()));
    }

    /// None that the file would tell.
    @Override public String triggerWords() {
        return "";
    }

    @Override public String triggerWord() {
        return "";
    }

    @Override public byte[] bytes(DType dtype) {
        return SafetensorsWriter.toBytes(tensors, Map.of(), dtype);
    }

    @Override public long parameterCount() {
        return tensors.values().stream().mapToLong(tensor -> tensor.data().length).sum();
    }
}
