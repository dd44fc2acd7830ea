package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The tensors of a pickle by name, and what stands beside them.
/// @param strided those whose elements lie in another order, by the offsets behind the file's end at which they seem to lie
record PickledTensors(Map<String, TensorInfo> tensors, Map<String, String> metadata, TreeMap<Long, Strided> strided) {
    private static final int DEEPEST = 6;
    private static final int MOST = 200_000;
    private static final int LONGEST_NAME = 1 << 10;
    /// Under which keys training programs keep the state dictionary that a file is about, the first that is there.
    private static final List<String> STATES = List.of("state_dict", "model_state_dict", "params_ema", "params", "model", "module", "net");

    /// Where a storage's bytes lie in the file.
    record Place(long offset, long length) {}

    /// Finds storages; empty where the file lacks one.
    @FunctionalInterface
    interface Places {
        Optional<Place> of(Pickled.Storage storage) throws Failure;
    }

    /// @param size bytes of the file
    static PickledTensors of(Path file, long size, Pickled root, Places places) throws Failure {
        if (!(root instanceof Pickled.Entries top)) throw new Failure.Incompatible(file + ": expected a dictionary of tensors, found something else in its pickle");
        Walk walk = new Walk(file, size, places);
        Pickled.Entries dictionary = top;
        for (int depth = 0; depth < DEEPEST; depth++) {
            Optional<String> key = state(dictionary);
            if (key.isEmpty()) break;
            for (Map.Entry<String, Pickled> beside : dictionary.entries.entrySet()) if (!beside.getKey().equals(key.get())) walk.note(beside.getKey(), beside.getValue());
            dictionary = (Pickled.Entries) dictionary.entries.get(key.get());
        }
        walk.add("", dictionary, 0);
        return new PickledTensors(walk.tensors, walk.metadata, walk.strided);
    }

    /// `state_dict` always; the others where no tensor lies beside them.
    private static Optional<String> state(Pickled.Entries dictionary) {
        boolean tensors = dictionary.entries.values().stream().anyMatch(Pickled.Stored.class::isInstance);
        return STATES.stream().filter(key -> dictionary.entries.get(key) instanceof Pickled.Entries && (!tensors || key.equals(STATES.getFirst()))).findFirst();
    }

    /// Bounded, since a dictionary may hold another many times, or itself.
    private static final class Walk {
        private final Path file;
        private final long size;
        private final Places places;
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private final TreeMap<Long, Strided> strided = new TreeMap<>();
        private long end;
        private int seen;

        Walk(Path file, long size, Places places) {
            this.file = file;
            this.size = size;
            this.places = places;
            this.end = size + Long.BYTES - size % Long.BYTES;
        }

        void add(String prefix, Pickled.Entries dictionary, int depth) throws Failure {
            for (Map.Entry<String, Pickled> entry : dictionary.entries.entrySet()) {
                if (++seen > MOST) throw new Failure.Incompatible(file + ": its pickle holds more than " + MOST + " entries; no model has as many");
                String name = prefix + entry.getKey();
                if (name.length() > LONGEST_NAME) throw new Failure.Incompatible(file + ": its pickle has a name of " + name.length() + " letters, longer than any tensor's: " + SafeText.of(name));
                switch (entry.getValue()) {
                    case Pickled.Stored tensor -> tensors.put(name, info(name, tensor));
                    case Pickled.Entries nested when depth < DEEPEST -> add(name + ".", nested, depth + 1);
                    default -> note(name, entry.getValue());
                }
            }
        }

        void note(String name, Pickled value) {
            switch (value) {
                case Pickled.Text(String text) -> metadata.put(name, text);
                case Pickled.Whole(long number) -> metadata.put(name, Long.toString(number));
                case Pickled.Real(double number) -> metadata.put(name, Double.toString(number));
                case Pickled.Flag(boolean set) -> metadata.put(name, Boolean.toString(set));
                default -> { }
            }
        }

        private TensorInfo info(String name, Pickled.Stored tensor) throws Failure {
            DType dtype = tensor.storage().dtype();
            Place place = places.of(tensor.storage()).orElseThrow(() -> new Failure.Unreadable(
                    file + ": " + SafeText.of(name) + ": its numbers (storage " + SafeText.of(tensor.storage().key()) + ") are missing; download or copy it again"));
            long from = Math.multiplyExact(tensor.from(), (long) dtype.bytes());
            long length = Math.multiplyExact(tensor.shape().elements(), (long) dtype.bytes());
            long needed = tensor.strides().isEmpty() ? length : Math.multiplyExact(tensor.storage().elements() - tensor.from(), (long) dtype.bytes());
            if (needed > place.length() - from) {
                throw new Failure.Unreadable(file + ": " + SafeText.of(name) + ": " + dtype + " " + tensor.shape() + " needs " + needed + " bytes from " + from + " on, its storage has " + place.length() + "; download or copy it again");
            }
            if (tensor.strides().isEmpty()) return new TensorInfo(name, dtype, tensor.shape(), place.offset() + from, length);
            return inOrder(name, tensor, place.offset() + from, length);
        }

        private TensorInfo inOrder(String name, Pickled.Stored tensor, long source, long length) throws Failure {
            if (length > size) {
                throw new Failure.Incompatible(file + ": " + SafeText.of(name) + " " + tensor.shape() + " repeats a few numbers of the file (strides " + tensor.strides() + "); save it after .contiguous()");
            }
            TensorInfo info = new TensorInfo(name, tensor.storage().dtype(), tensor.shape(), end, length);
            strided.put(end, new Strided(info, source, tensor.strides()));
            end += length + Long.BYTES - length % Long.BYTES;
            return info;
        }
    }
}
