package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// The weights of one part of a model, mapped: one safetensors file or several shards, under today's names.
/// Owns its maps until closed.
public final class Checkpoint implements AutoCloseable {
    private record Entry(Safetensors file, TensorInfo info) {}

    private final Path folder;
    private final List<Safetensors> files;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private Checkpoint(Path folder, UnaryOperator<String> canonical, List<Safetensors> files) {
        this.folder = folder;
        this.files = files;
        for (Safetensors file : files) {
            for (TensorInfo info : file.tensors().values()) entries.put(canonical.apply(info.name()), new Entry(file, info));
        }
    }

    /// Maps the safetensors of a part's folder, sharded or not.
    /// @throws Failure.Unreadable when there are none, or one is damaged
    public static Checkpoint open(Path folder, Part part) throws Failure {
        return open(folder, part::canonical);
    }

    /// As above, for weights that belong to no part; `canonical` gives today's name of a tensor that may carry an older one.
    static Checkpoint open(Path folder, UnaryOperator<String> canonical) throws Failure {
        List<Safetensors> files = new ArrayList<>();
        try {
            for (Path file : files(folder)) files.add(Safetensors.open(file));
            return new Checkpoint(folder, canonical, List.copyOf(files));
        } catch (Failure e) {
            files.forEach(Safetensors::close);
            throw e;
        }
    }

    /// The weight files of a part's folder, shards in name order.
    static List<Path> files(Path folder) throws Failure {
        if (!Files.isDirectory(folder)) throw new Failure.Unreadable(folder + ": expected a folder with weights, found nothing");
        List<Path> found;
        try (Stream<Path> list = Files.list(folder)) {
            found = list.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be listed: " + e.getMessage(), e);
        }
        List<Path> weights = found.stream().filter(file -> file.toString().endsWith(".safetensors")).toList();
        for (String stem : List.of("diffusion_pytorch_model", "model", "diffusion_pytorch_model.fp16", "model.fp16")) {
            Path index = folder.resolve(stem.replace(".fp16", "") + ".safetensors.index" + (stem.endsWith(".fp16") ? ".fp16" : "") + ".json");
            if (weights.contains(folder.resolve(stem + ".safetensors"))) return List.of(folder.resolve(stem + ".safetensors"));
            if (found.contains(index)) return shards(index);
        }
        if (weights.size() == 1) return weights;
        boolean pickled = found.stream().anyMatch(file -> file.toString().endsWith(".bin") || file.toString().endsWith(".ckpt"));
        throw new Failure.Unreadable(folder + ": expected diffusion_pytorch_model.safetensors or model.safetensors, found "
                + (pickled ? "only pickled weights (.bin), which could run code; get the safetensors version of this model" : weights.isEmpty() ? "no weights" : weights.size() + " safetensors files and no index that names them"));
    }

    private static List<Path> shards(Path index) throws Failure {
        Config config = Config.read(index);
        if (!config.has("weight_map") || !config.json().get("weight_map").isJsonObject()) throw config.wrong("weight_map", "an object from tensor to file", config.json().get("weight_map"));
        TreeSet<String> names = new TreeSet<>();
        config.json().getAsJsonObject("weight_map").asMap().values().forEach(name -> names.add(name.getAsString()));
        List<Path> shards = new ArrayList<>();
        for (String name : names) {
            if (name.contains("/") || name.contains("\\")) throw new Failure.Unreadable(index + ": " + name + " lies outside the folder; expected a file name");
            shards.add(index.resolveSibling(name));
        }
        return shards;
    }

    public Path folder() {
        return folder;
    }

    /// Today's names of all tensors.
    public Iterable<String> names() {
        return entries.keySet();
    }

    public boolean has(String key) {
        return entries.containsKey(key);
    }

    /// Where a tensor's bytes lie.
    public TensorInfo info(String key) {
        return entry(key).info;
    }

    /// The file a tensor lies in.
    public Path file(String key) {
        return entry(key).file.file();
    }

    /// A tensor in float32.
    public Tensor read(String key) {
        Entry entry = entry(key);
        return entry.file.read(entry.info.name());
    }

    /// A tensor's mapped bytes, as `info` says; valid until this checkpoint is closed.
    public MemorySegment bytes(String key) {
        Entry entry = entry(key);
        return entry.file.bytes(entry.info.name());
    }

    /// Checks that every layer is there in its shape.
    /// @throws Failure.Incompatible that lists all that are missing or of another shape
    public void check(List<Layer> layers) throws Failure {
        List<String> wrong = new ArrayList<>();
        for (Layer layer : layers) {
            check(layer.weightKey(), layer.weight(), wrong);
            if (layer.biased()) check(layer.biasKey(), layer.biasShape(), wrong);
        }
        if (!wrong.isEmpty()) {
            throw new Failure.Incompatible(folder + ": " + wrong.size() + (wrong.size() == 1 ? " tensor does" : " tensors do") + " not fit its config.json:\n  " + String.join("\n  ", wrong));
        }
    }

    private void check(String key, Shape expected, List<String> wrong) {
        if (!has(key)) {
            wrong.add(key + ": expected " + expected + ", found nothing");
        } else if (!info(key).shape().equals(expected)) {
            wrong.add(key + ": expected " + expected + ", found " + info(key).shape());
        } else if (!info(key).dtype().floating()) {
            wrong.add(key + ": expected floating-point numbers, found " + info(key).dtype());
        }
    }

    /// Names of tensors that none of these layers uses, such as position ids.
    public List<String> unused(List<Layer> layers) {
        TreeSet<String> names = new TreeSet<>(entries.keySet());
        for (Layer layer : layers) {
            names.remove(layer.weightKey());
            if (layer.biased()) names.remove(layer.biasKey());
        }
        return List.copyOf(names);
    }

    /// SHA-256 of the files' bytes after the header, shards in name order, in hexadecimal. Reads every byte: not for the way to the first picture.
    public String hash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Safetensors file : files) {
                MemorySegment bytes = file.payload();
                long step = 1L << 24;
                for (long at = 0; at < bytes.byteSize(); at += step) digest.update(bytes.asSlice(at, Math.min(step, bytes.byteSize() - at)).asByteBuffer());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private Entry entry(String key) {
        Entry entry = entries.get(key);
        if (entry == null) throw new IllegalArgumentException(folder + ": no tensor named " + key);
        return entry;
    }

    @Override public void close() {
        files.forEach(Safetensors::close);
    }
}
