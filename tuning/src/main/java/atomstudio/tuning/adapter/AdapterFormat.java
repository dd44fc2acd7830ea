package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.tuning.interop.AdapterKind;
import atomstudio.tuning.method.MethodSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/// Reads and writes adapters as safetensors. A tensor `METHOD.PARAMETER` stacks one parameter of many layers
/// (`METHOD.PARAMETER.SHAPE` if its shape differs between layers). The metadata key `layers` lists all adapted layers
/// in the network's order with the shapes of their weights, `{"conv_in":[64,4,3,3],…}`, and `stacks` lists the layers
/// in each tensor by index: `{"atoms.M":[0,3,…]}`.
final class AdapterFormat {
    static final String FORMAT = "atomstudio.adapter";
    private static final int VERSION = 1;
    /// Prefix of the additional tensors and metadata of a checkpoint.
    private static final String TRAINING_PREFIX = "training.";

    /// Prefix of the method's settings in the metadata.
    private static final String SETTING_PREFIX = "method.";
    private static final String LEARNING_RATE_KEY = "learning-rate";
    private static final String OLD_LEARNING_RATE_KEY = "rate";
    /// The adapter that was merged into the base model; absent without one.
    private static final String MERGED_KEY = "base.merged";

    private AdapterFormat() {}

    /// One parameter of several layers, stacked in this order.
    private record StackedTensor(String parameter, List<AdaptedLayer> layers) {
        String key(AdaptedLayer layer) {
            return layer.name() + "." + parameter;
        }
    }

    /// @param extraTensors additional tensors whose names start with `training.`, as do the keys of `extraMetadata`
    static void write(AdapterFile adapter, Path file, Map<String, Tensor> extraTensors,
            Map<String, String> extraMetadata) throws Failure {
        Map<String, StackedTensor> stacks = stacks(adapter, shapes(adapter));
        Map<String, String> metadata = metadata(adapter, stacks);
        metadata.putAll(extraMetadata);
        Map<String, Tensor> tensors = tensors(adapter, stacks);
        tensors.putAll(extraTensors);
        SafetensorsWriter.write(file, tensors, metadata);
    }

    /// Size in bytes of the file that `write` creates without additional tensors.
    static long fileSize(AdapterFile adapter) {
        return fileSize(adapter, shapes(adapter));
    }

    /// @param values shapes of the adapter's parameters, keyed `LAYER.PARAMETER`
    static long fileSize(AdapterFile adapter, Map<String, Shape> values) {
        Map<String, StackedTensor> stacks = stacks(adapter, values);
        Map<String, Shape> tensors = new TreeMap<>();
        stacks.forEach((name, stack) -> tensors.put(name,
                withStackAxis(values.get(stack.key(stack.layers.getFirst()))).with(0, stack.layers.size())));
        return SafetensorsWriter.fileLength(tensors, metadata(adapter, stacks));
    }

    private static Map<String, Shape> shapes(AdapterFile adapter) {
        Map<String, Shape> shapes = new TreeMap<>();
        adapter.values().forEach((key, value) -> shapes.put(key, value.shape()));
        return shapes;
    }

    private static Map<String, String> metadata(AdapterFile adapter, Map<String, StackedTensor> stacks) {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("format", FORMAT);
        metadata.put("version", Integer.toString(VERSION));
        metadata.put("method", adapter.method().name());
        adapter.method().entries().forEach((setting, value) -> metadata.put(SETTING_PREFIX + setting, value));
        metadata.put("base.name", adapter.base().name());
        metadata.put("base.hash", adapter.base().hash());
        adapter.base().merged().ifPresent(merged -> {
            metadata.put(MERGED_KEY, merged.fileName());
            metadata.put(MERGED_KEY + ".sha256", merged.sha256());
            metadata.put(MERGED_KEY + ".weight", Double.toString(merged.weight()));
        });
        metadata.put("token", adapter.trigger().token());
        metadata.put("class", adapter.trigger().className());
        metadata.put("steps", Integer.toString(adapter.training().steps()));
        metadata.put(LEARNING_RATE_KEY, Double.toString(adapter.training().learningRate()));
        metadata.put("seed", Seed.format(adapter.training().seed()));
        metadata.put("layers", layers(adapter).toString());
        metadata.put("stacks", indices(adapter, stacks).toString());
        return metadata;
    }

    /// SHA-256 of the bytes after the header of the file that `write` creates.
    static String hash(AdapterFile adapter) {
        Sha256 hash = new Sha256();
        for (Tensor tensor : tensors(adapter, stacks(adapter, shapes(adapter))).values()) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * tensor.data().length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(tensor.data());
            hash.add(bytes);
        }
        return hash.hex();
    }

    private static Map<String, Tensor> tensors(AdapterFile adapter, Map<String, StackedTensor> stacks) {
        Map<String, Tensor> tensors = new TreeMap<>();
        stacks.forEach((name, stack) -> {
            Tensor[] rows = stack.layers.stream()
                    .map(layer -> adapter.values().get(stack.key(layer)))
                    .map(value -> value.reshape(withStackAxis(value.shape())))
                    .toArray(Tensor[]::new);
            tensors.put(name, Tensor.concatenate(rows));
        });
        return tensors;
    }

    private static Shape withStackAxis(Shape value) {
        return new Shape(LongStream.concat(LongStream.of(1), Arrays.stream(value.sizes())).toArray());
    }

    private static Map<String, StackedTensor> stacks(AdapterFile adapter, Map<String, Shape> values) {
        Map<String, Map<Shape, StackedTensor>> byTensor = new LinkedHashMap<>();
        Map<String, List<String>> parametersByLayer = new HashMap<>();
        for (String key : new TreeMap<>(values).keySet()) {
            int dot = key.lastIndexOf('.');
            parametersByLayer.computeIfAbsent(key.substring(0, dot), layer -> new ArrayList<>())
                    .add(key.substring(dot + 1));
        }
        for (AdaptedLayer layer : adapter.layers()) {
            for (String parameter : parametersByLayer.getOrDefault(layer.name(), List.of())) {
                Shape shape = values.get(layer.name() + "." + parameter);
                byTensor.computeIfAbsent(layer.method() + "." + parameter, name -> new LinkedHashMap<>())
                        .computeIfAbsent(shape, s -> new StackedTensor(parameter, new ArrayList<>())).layers.add(layer);
            }
        }
        Map<String, StackedTensor> stacks = new TreeMap<>();
        byTensor.forEach((name, shapes) -> shapes.forEach(
                (shape, stack) -> stacks.put(shapes.size() == 1 ? name : name + "." + dimensionSuffix(shape), stack)));
        return stacks;
    }

    private static String dimensionSuffix(Shape shape) {
        return Arrays.stream(shape.sizes()).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }

    private static JsonObject layers(AdapterFile adapter) {
        JsonObject json = new JsonObject();
        for (AdaptedLayer layer : adapter.layers()) {
            JsonArray weight = new JsonArray();
            for (long size : layer.weight().sizes()) weight.add(size);
            json.add(layer.name(), weight);
        }
        return json;
    }

    private static JsonObject indices(AdapterFile adapter, Map<String, StackedTensor> stacks) {
        JsonObject json = new JsonObject();
        stacks.forEach((name, stack) -> {
            JsonArray indices = new JsonArray();
            for (AdaptedLayer layer : stack.layers) indices.add(adapter.layers().indexOf(layer));
            json.add(name, indices);
        });
        return json;
    }

    /// The bytes of the file, with tensors in this precision.
    static byte[] toBytes(AdapterFile adapter, DType dtype) {
        Map<String, StackedTensor> stacks = stacks(adapter, shapes(adapter));
        return SafetensorsWriter.toBytes(tensors(adapter, stacks), metadata(adapter, stacks), dtype);
    }

    static AdapterFile read(TensorFile tensors) throws Failure {
        Path file = tensors.file();
        Map<String, String> metadata = tensors.metadata();
        if (!FORMAT.equals(metadata.get("format"))) {
            Optional<String> unsupported = AdapterKind.unsupportedReason(tensors.tensors().keySet());
            if (unsupported.isPresent()) throw new Failure.Incompatible(file + ": " + unsupported.get());
            throw new Failure.Unreadable(
                    file + ": expected an adapter of Atom Studio (metadata format " + FORMAT + "), found "
                            + (metadata.containsKey("format") ? "format " + SafeText.of(metadata.get("format"))
                                    : "a file of another program")
                            + "; supported files of other programs are embeddings, LoRA, LoCon, LoHa and LoKr");
        }
        if (!Integer.toString(VERSION).equals(metadata.get("version"))) {
            throw new Failure.Incompatible(file + ": expected adapter version " + VERSION + ", found "
                    + SafeText.of(metadata.get("version")) + "; update Atom Studio to use it");
        }
        return parse(file, tensors, metadata);
    }

    private static AdapterFile parse(Path file, TensorFile tensors, Map<String, String> metadata) throws Failure {
        try {
            MethodSettings method = MethodSettings.parse(required(metadata, "method"), settings(metadata));
            BaseModel base = base(metadata);
            Trigger trigger = new Trigger(required(metadata, "token"), required(metadata, "class"));
            AdapterFile.TrainingSummary training = training(metadata);
            List<LayerEntry> layers = layerEntries(
                    JsonParser.parseString(required(metadata, "layers")).getAsJsonObject());
            Map<String, Tensor> values = values(tensors,
                    JsonParser.parseString(required(metadata, "stacks")).getAsJsonObject(), layers);
            return new AdapterFile(method, base, trigger, training, layers.stream().map(LayerEntry::toLayer).toList(),
                    values);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(file + ": " + e.getMessage());
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(file + ": its metadata is invalid: "
                    + SafeText.of(e.getMessage()) + "; the file is damaged, copy or export it again", e);
        }
    }

    private static BaseModel base(Map<String, String> metadata) {
        Optional<BaseModel.MergedAdapter> merged = !metadata.containsKey(MERGED_KEY) ? Optional.empty()
                : Optional.of(new BaseModel.MergedAdapter(required(metadata, MERGED_KEY),
                        required(metadata, MERGED_KEY + ".sha256"),
                        Double.parseDouble(required(metadata, MERGED_KEY + ".weight"))));
        return new BaseModel(required(metadata, "base.name"), required(metadata, "base.hash"), merged);
    }

    private static AdapterFile.TrainingSummary training(Map<String, String> metadata) {
        int steps = Integer.parseInt(required(metadata, "steps"));
        if (metadata.containsKey(LEARNING_RATE_KEY) && metadata.containsKey(OLD_LEARNING_RATE_KEY))
            throw new IllegalArgumentException(LEARNING_RATE_KEY + " and " + OLD_LEARNING_RATE_KEY
                    + " are names of the same setting; remove one of them");
        double rate = Double.parseDouble(required(metadata,
                metadata.containsKey(OLD_LEARNING_RATE_KEY) ? OLD_LEARNING_RATE_KEY : LEARNING_RATE_KEY));
        if (steps < 0) throw new IllegalArgumentException("steps: expected 0 or more, found " + steps);
        if (!(rate > 0 && Double.isFinite(rate)))
            throw new IllegalArgumentException(LEARNING_RATE_KEY + ": expected a number above 0, found " + rate);
        return new AdapterFile.TrainingSummary(steps, rate,
                Seed.parse(required(metadata, "seed"))
                        .orElseThrow(() -> new IllegalArgumentException(
                                "seed: expected " + Seed.RANGE + ", found " + required(metadata, "seed"))));
    }

    /// A layer of the metadata; its method follows from the names of the tensors that contain it.
    private static final class LayerEntry {
        private final String name;
        private final Shape weight;
        private String method = "";

        LayerEntry(String name, Shape weight) {
            this.name = name;
            this.weight = weight;
        }

        void assignMethod(String candidate) {
            if (!method.isEmpty() && !method.equals(candidate))
                throw new IllegalArgumentException(
                        "layer " + name + " belongs to both " + method + " and " + candidate);
            method = candidate;
        }

        AdaptedLayer toLayer() {
            if (method.isEmpty()) throw new IllegalArgumentException("no tensor contains layer " + name);
            return new AdaptedLayer(name, weight, method);
        }
    }

    private static List<LayerEntry> layerEntries(JsonObject layers) {
        List<LayerEntry> entries = new ArrayList<>();
        layers.entrySet()
                .forEach(layer -> entries.add(new LayerEntry(layer.getKey(),
                        new Shape(layer.getValue()
                                .getAsJsonArray()
                                .asList()
                                .stream()
                                .mapToLong(JsonElement::getAsLong)
                                .toArray()))));
        return entries;
    }

    private static Map<String, Tensor> values(TensorFile tensors, JsonObject stacks, List<LayerEntry> layers) {
        Map<String, Tensor> values = new HashMap<>();
        for (String name : tensors.tensors().keySet()) {
            if (!stacks.has(name) && !name.startsWith(TRAINING_PREFIX))
                throw new IllegalArgumentException("the metadata does not list tensor " + name);
        }
        for (Map.Entry<String, JsonElement> entry : stacks.entrySet()) {
            String[] keyParts = entry.getKey().split("\\.");
            Tensor stacked = requireFinite(entry.getKey(), tensors.read(entry.getKey()));
            List<JsonElement> indices = entry.getValue().getAsJsonArray().asList();
            if (stacked.shape().rank() < 2 || stacked.shape().size(0) != indices.size()) {
                throw new IllegalArgumentException(
                        "tensor " + entry.getKey() + " " + stacked.shape() + ": expected a stack of "
                                + indices.size() + " layers");
            }
            Shape elementShape = new Shape(Arrays.copyOfRange(stacked.shape().sizes(), 1, stacked.shape().rank()));
            for (int row = 0; row < indices.size(); row++) {
                LayerEntry layer = layers.get(indices.get(row).getAsInt());
                layer.assignMethod(keyParts[0]);
                Tensor previous = values.put(layer.name + "." + keyParts[1],
                        stacked.rows(row, row + 1).reshape(elementShape));
                if (previous != null)
                    throw new IllegalArgumentException(
                            "layer " + layer.name + " has parameter " + keyParts[1] + " twice");
            }
        }
        return values;
    }

    private static Tensor requireFinite(String name, Tensor tensor) {
        for (float value : tensor.data())
            if (!Float.isFinite(value)) throw new IllegalArgumentException("tensor " + name + " contains " + value);
        return tensor;
    }

    private static Map<String, String> settings(Map<String, String> metadata) {
        Map<String, String> settings = new TreeMap<>();
        metadata.forEach((key, value) -> {
            if (key.startsWith(SETTING_PREFIX)) settings.put(key.substring(SETTING_PREFIX.length()), value);
        });
        return settings;
    }

    private static String required(Map<String, String> metadata, String key) {
        String text = metadata.get(key);
        if (text == null) throw new IllegalArgumentException("missing " + key);
        return text;
    }
}
