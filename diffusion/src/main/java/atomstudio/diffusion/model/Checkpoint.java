package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// The memory-mapped weights of one model component, one file or several shards, by diffusers' names. Owns its maps
/// until closed.
public final class Checkpoint implements AutoCloseable {
    private record Entry(TensorFile file, TensorInfo info) {}

    private static final int MAX_REPORTED = 20;

    private final Path path;
    private final List<TensorFile> files;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private Checkpoint(WeightLocation weights, List<TensorFile> files) {
        this.path = weights.path();
        this.files = files;
        for (TensorFile file : files) {
            for (TensorInfo stored : file.tensors().values()) {
                for (TensorInfo info : weights.mapping().map(stored)) entries.put(info.name(), new Entry(file, info));
            }
        }
    }

    /// Maps the weight files.
    /// @throws Failure.Unreadable when there are none, or one is damaged
    /// @throws Failure.Incompatible when one holds objects other than tensors
    public static Checkpoint open(WeightLocation weights) throws Failure {
        List<TensorFile> files = new ArrayList<>();
        try {
            for (Path file : weights.files()) files.add(TensorFile.open(file));
            return new Checkpoint(weights, List.copyOf(files));
        } catch (Failure e) {
            files.forEach(TensorFile::close);
            throw e;
        }
    }

    /// Maps the weight files and checks that they have the weights of all layers.
    /// @throws Failure.Incompatible when some are missing or of another shape
    public static Checkpoint open(WeightLocation weights, List<Layer> layers) throws Failure {
        Checkpoint checkpoint = open(weights);
        try {
            checkpoint.requireLayers(layers);
            return checkpoint;
        } catch (Failure e) {
            checkpoint.close();
            throw e;
        }
    }

    /// The folder or file of the weights.
    public Path path() {
        return path;
    }

    /// Checks the files on disk; call this before running a network with these weights.
    /// @throws Failure.Unreadable when a file changed since it was mapped
    public void checkUnchanged() throws Failure.Unreadable {
        for (TensorFile file : files) file.checkUnchanged();
    }

    /// diffusers' names of all tensors.
    public Iterable<String> keys() {
        return entries.keySet();
    }

    public boolean has(String key) {
        return entries.containsKey(key);
    }

    /// Type, shape and byte range of a tensor in its file; for a split fused tensor, a part of the stored one.
    public TensorInfo info(String key) {
        return entry(key).info;
    }

    /// Whether a tensor is contiguous in its file, so that its byte range can be mapped directly.
    public boolean isContiguous(String key) {
        return entry(key).file.isContiguous(entry(key).info);
    }

    /// The file of a tensor.
    public Path file(String key) {
        return entry(key).file.file();
    }

    /// Reads a tensor as float32.
    public Tensor read(String key) {
        Entry entry = entry(key);
        return entry.file.read(entry.info);
    }

    /// The mapped bytes of a tensor; valid until this checkpoint is closed.
    public MemorySegment bytes(String key) {
        Entry entry = entry(key);
        return entry.file.bytes(entry.info);
    }

    /// Checks that the weights of all layers are present and of the right shape.
    /// @throws Failure.Incompatible with a list of the missing and mismatching tensors
    public void requireLayers(List<Layer> layers) throws Failure {
        List<String> problems = new ArrayList<>();
        for (Layer layer : layers) {
            problem(layer.weightKey(), layer.weightShape()).ifPresent(problems::add);
            if (layer.hasBias()) problem(layer.biasKey(), layer.biasShape()).ifPresent(problems::add);
        }
        if (!problems.isEmpty()) {
            List<String> reported = problems.stream().limit(MAX_REPORTED).toList();
            String more = problems.size() > MAX_REPORTED ? "\n  and " + (problems.size() - MAX_REPORTED) + " more" : "";
            throw new Failure.Incompatible(path + ": " + problems.size()
                    + (problems.size() == 1 ? " tensor does" : " tensors do") + " not match "
                    + (Files.isDirectory(path) ? "its config.json" : "the network inferred from the others") + ":\n  "
                    + String.join("\n  ", reported) + more);
        }
    }

    private Optional<String> problem(String key, Shape expected) {
        if (!has(key)) return Optional.of(key + ": expected " + expected + ", found nothing");
        TensorInfo found = info(key);
        if (!found.shape().equals(expected))
            return Optional.of(key + ": expected " + expected + ", found " + found.shape());
        return found.dtype().isFloatingPoint() ? Optional.empty()
                : Optional.of(key + ": expected floating-point values, found " + found.dtype());
    }

    /// Names of tensors that are not used by these layers, such as position ids.
    public List<String> unusedKeys(List<Layer> layers) {
        TreeSet<String> keys = new TreeSet<>(entries.keySet());
        for (Layer layer : layers) {
            keys.remove(layer.weightKey());
            if (layer.hasBias()) keys.remove(layer.biasKey());
        }
        return List.copyOf(keys);
    }

    /// SHA-256 (hex) of the tensors' bytes in file order, shards in name order. For a safetensors file with only this
    /// component, the hash of everything after the header. Slow: reads every byte.
    public String sha256() {
        Sha256 hash = new Sha256();
        for (TensorFile file : files) {
            entries.values()
                    .stream()
                    .filter(entry -> entry.file == file)
                    .map(Entry::info)
                    .sorted(Comparator.comparingLong(TensorInfo::offset))
                    .forEach(info -> hash.add(file.bytes(info)));
        }
        return hash.hex();
    }

    private Entry entry(String key) {
        Entry entry = entries.get(key);
        if (entry == null) throw new IllegalArgumentException(path + ": no tensor named " + key);
        return entry;
    }

    @Override
    public void close() {
        files.forEach(TensorFile::close);
    }
}
