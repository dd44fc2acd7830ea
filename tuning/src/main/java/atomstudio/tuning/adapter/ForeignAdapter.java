package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Quoted;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.Adaptation;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.foreign.ForeignChange;
import atomstudio.tuning.foreign.ForeignForm;
import atomstudio.tuning.foreign.ForeignLayers;
import atomstudio.tuning.foreign.ForeignName;
import atomstudio.tuning.foreign.PeftScales;
import atomstudio.tuning.foreign.UnreadKind;
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

/// A LoRA of another program, or one of its relatives (LoCon, LoHa, LoKr, whole differences), in the dialects of sd-scripts and LyCORIS,
/// diffusers and peft, and cloneofsimo. Which layers it means shows only beside a model.
/// @param tensors by their names in the file, multiplied by what a configuration of peft says beside them ([PeftScales])
/// @param hash    hexadecimal SHA-256 of the tensors' bytes, in the order of their names
public record ForeignAdapter(Path file, Map<String, Tensor> tensors, String hash) implements AdapterSource {
    private static final int MOST_NAMED = 5;
    /// What only adapters for Stable Diffusion XL have: two text encoders, and blocks counted as the original code does.
    private static final List<String> XL = List.of("lora_te1_", "lora_te2_", "text_encoder_2.", "lora_unet_input_blocks_", "lora_unet_output_blocks_", "lora_unet_middle_block_");

    public ForeignAdapter {
        tensors = Map.copyOf(tensors);
    }

    /// Whether an open file holds an adapter of another program.
    public static boolean recognizes(TensorFile file) {
        return !AdapterFile.recognizes(file) && file.tensors().keySet().stream().anyMatch(key -> ForeignName.parse(key).isPresent());
    }

    /// @throws Failure.Incompatible when it is for models of another kind
    /// @throws Failure.Unreadable when its numbers are none, or a tensor in it is no adapter's
    static ForeignAdapter of(TensorFile file) throws Failure {
        Optional<UnreadKind> unread = UnreadKind.of(file.tensors().keySet());
        if (unread.isPresent()) throw new Failure.Incompatible(file.file() + ": " + unread.get().refusal());
        Map<String, Tensor> tensors = new TreeMap<>();
        for (TensorInfo info : file.tensors().values()) {
            if (words(info)) continue;
            if (XL.stream().anyMatch(info.name()::startsWith)) throw new Failure.Incompatible(file.file() + ": is an adapter for Stable Diffusion XL (it has " + Quoted.of(info.name()) + "); expected one for Stable Diffusion 1.x or 2.x");
            if (ForeignName.parse(info.name()).isEmpty()) throw new Failure.Unreadable(file.file() + ": expected tensors of a LoRA or of one of its relatives, found " + Quoted.of(info.name()) + " " + info.shape() + " among them");
            tensors.put(info.name(), numbers(file, info));
        }
        Map<String, Double> factors = factors(file, tensors);
        String hash = hash(file, tensors.keySet(), factors);
        factors.forEach((name, factor) -> tensors.compute(name, (_, tensor) -> scaled(tensor, factor)));
        return new ForeignAdapter(file.file(), tensors, hash);
    }

    private static Tensor numbers(TensorFile file, TensorInfo info) throws Failure {
        if (!info.dtype().readable()) throw new Failure.Unreadable(file.file() + ": " + Quoted.of(info.name()) + ": expected numbers, found elements of type " + info.dtype());
        if (info.shape().elements() > Integer.MAX_VALUE - 8) throw new Failure.Unreadable(file.file() + ": " + Quoted.of(info.name()) + " " + info.shape() + " is larger than any layer's change");
        Tensor tensor = file.read(info.name());
        for (float number : tensor.data()) if (!Float.isFinite(number)) throw new Failure.Unreadable(file.file() + ": " + Quoted.of(info.name()) + " holds " + number + "; the file is damaged, get it again");
        return tensor;
    }

    /// What configurations beside the tensors multiply into them.
    private static Map<String, Double> factors(TensorFile file, Map<String, Tensor> tensors) throws Failure {
        try {
            return PeftScales.of(file).factors(tensors);
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file.file() + ": " + e.getMessage(), e);
        }
    }

    private static Tensor scaled(Tensor tensor, double factor) {
        float[] data = tensor.data().clone();
        for (int i = 0; i < data.length; i++) data[i] *= (float) factor;
        return new Tensor(tensor.shape(), data);
    }

    /// Rows for words that one of the dialects keeps in the same file: embeddings, each by its word.
    static boolean words(TensorInfo info) {
        return info.name().startsWith("<") && info.shape().rank() <= 2;
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

    @Override public Adapter adapter(String name, ModelFolder model) throws Failure {
        Map<String, Adaptation> forms = new HashMap<>();
        Map<String, Tensor> values = new HashMap<>();
        changes(model).forEach((layer, change) -> {
            forms.put(layer, change.form());
            change.values().forEach((slot, value) -> values.put(layer + "." + slot, value));
        });
        return new Adapter(name, hash, new ForeignForm(forms), values);
    }

    @Override public void check(ModelFolder model) throws Failure {
        changes(model);
    }

    /// By layers' names.
    private Map<String, ForeignChange> changes(ModelFolder model) throws Failure {
        ForeignLayers layers = new ForeignLayers(model.tunable());
        List<String> wrong = new ArrayList<>();
        Map<String, ForeignChange> changes = new TreeMap<>();
        places().forEach((place, numbers) -> {
            Optional<Layer> layer = layers.find(place);
            if (layer.isEmpty()) {
                wrong.add(Quoted.of(numbers.first) + ": the model has no such layer");
                return;
            }
            try {
                changes.put(layer.get().name(), ForeignChange.of(layer.get(), numbers.byNumber));
            } catch (IllegalArgumentException | ArithmeticException e) {
                wrong.add(layer.get().name() + ": " + e.getMessage());
            }
        });
        if (wrong.isEmpty()) return changes;
        List<String> named = wrong.stream().sorted().limit(MOST_NAMED).toList();
        String more = wrong.size() > MOST_NAMED ? "\n  and " + (wrong.size() - MOST_NAMED) + " more" : "";
        throw new Failure.Incompatible(file + ": does not fit " + model.name() + ", " + wrong.size() + " of " + places().size() + " layers differ:\n  " + String.join("\n  ", named) + more
                + "\nUse it with a model of the kind that it was trained on.");
    }

    /// The numbers of one layer, and a tensor's name among them.
    private record Numbers(String first, Map<String, Tensor> byNumber) {}

    private Map<ForeignName.Place, Numbers> places() {
        Map<ForeignName.Place, Numbers> places = new HashMap<>();
        tensors.forEach((key, tensor) -> {
            ForeignName name = ForeignName.parse(key).orElseThrow();
            places.computeIfAbsent(name.place(), place -> new Numbers(key, new HashMap<>())).byNumber.put(name.number(), tensor);
        });
        return places;
    }

    /// Layers that it changes.
    public int layers() {
        return places().size();
    }

    /// None that the file would tell.
    @Override public String words() {
        return "";
    }

    @Override public String token() {
        return "";
    }

    @Override public byte[] bytes(DType dtype) {
        return SafetensorsWriter.bytes(tensors, Map.of(), dtype);
    }

    @Override public long numbers() {
        return tensors.values().stream().mapToLong(tensor -> tensor.data().length).sum();
    }
}
