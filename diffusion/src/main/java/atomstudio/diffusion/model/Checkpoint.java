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
import java.util.TreeSet;

/// The weights of one part of a model, mapped: one file or several shards, under today's names.
/// Owns its maps until closed.
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

    /// Maps the files of some weights.
    /// @throws Failure.Unreadable when there are none, or one is damaged
    /// @throws Failure.Incompatible when one holds more than tensors
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

    /// The folder or file that the weights were asked of.
    public Path path() {
        return path;
    }

    /// To be called before a network is run with these weights.
    /// @throws Failure.Unreadable when a file changed since it was mapped
    public void check() throws Failure.Unreadable {
        for (TensorFile file : files) file.checkUnchanged();
    }

    /// Today's names of all tensors.
    public Iterable<String> keys() {
        return entries.keySet();
    }

    public boolean has(String key) {
        return entries.containsKey(key);
    }

    /// Where a tensor's bytes lie in its file: a stretch of a stored tensor where that holds several.
    public TensorInfo info(String key) {
        return entry(key).info;
    }

    /// Whether a tensor's bytes lie in its file as they are, so that others can map them there.
    public boolean isContiguous(String key) {
        return entry(key).file.isContiguous(entry(key).info);
    }

    /// The file a tensor lies in.
    public Path file(String key) {
        return entry(key).file.file();
    }

    /// A tensor in float32.
    public Tensor read(String key) {
        Entry entry = entry(key);
        return entry.file.read(entry.info);
    }

    /// A tensor's mapped bytes, as `info` says; valid until this checkpoint is closed.
    public MemorySegment bytes(String key) {
        Entry entry = entry(key);
        return entry.file.bytes(entry.info);
    }

    /// Checks that every layer is there in its shape.
    /// @throws Failure.Incompatible that lists all that are missing or of another shape
    public void check(List<Layer> layers) throws Failure {
        List<String> problems = new ArrayList<>();
        for (Layer layer : layers) {
            check(layer.weightKey(), layer.weightShape(), problems);
            if (layer.hasBias()) check(layer.biasKey(), layer.biasShape(), problems);
        }
        if (!problems.isEmpty()) {
            List<String> reported = problems.stream().limit(MAX_REPORTED).toList();
            String more = problems.size() > MAX_REPORTED ? "\n  and " + (problems.size() - MAX_REPORTED) + " more" : "";
            throw new Failure.Incompatible(path + ": " + problems.size()
                    + (problems.size() == 1 ? " tensor does" : " tensors do") + " not fit "
                    + (Files.isDirectory(path) ? "its config.json" : "what the others say of the network") + ":\n  "
                    + String.join("\n  ", reported) + more);
        }
    }

    private void check(String key, Shape expected, List<String> problems) {
        if (!has(key)) {
            problems.add(key + ": expected " + expected + ", found nothing");
        } else if (!info(key).shape().equals(expected)) {
            problems.add(key + ": expected " + expected + ", found " + info(key).shape());
        } else if (!info(key).dtype().isFloatingPoint()) {
            problems.add(key + ": expected floating-point numbers, found " + info(key).dtype());
        }
    }

    /// Names of tensors that none of these layers uses, such as position ids.
    public List<String> unusedKeys(List<Layer> layers) {
        TreeSet<String> keys = new TreeSet<>(entries.keySet());
        for (Layer layer : layers) {
            keys.remove(layer.weightKey());
            if (layer.hasBias()) keys.remove(layer.biasKey());
        }
        return List.copyOf(keys);
    }

    /// SHA-256 of the tensors' bytes as they lie in their files, shards in name order, in hexadecimal: of a
    /// safetensors file with nothing else in it, of everything after the header. Reads every byte: not for the way to
    /// the first picture.
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
