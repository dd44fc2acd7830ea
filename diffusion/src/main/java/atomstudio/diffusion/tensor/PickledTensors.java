package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The tensors of a pickle by name, and what stands beside them.
record PickledTensors(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
    private static final int DEEPEST = 6;
    private static final int MOST = 200_000;
    private static final String STATE = "state_dict";

    /// Where a storage's bytes lie in the file.
    record Place(long offset, long length) {}

    /// Finds storages; empty where the file lacks one.
    @FunctionalInterface
    interface Places {
        Optional<Place> of(Pickled.Storage storage) throws Failure;
    }

    static PickledTensors of(Path file, Pickled root, Places places) throws Failure {
        if (!(root instanceof Pickled.Entries top)) throw new Failure.Incompatible(file + ": expected a dictionary of tensors, found something else in its pickle");
        Walk walk = new Walk(file, places);
        Pickled state = top.entries.get(new Pickled.Text(STATE));
        if (state instanceof Pickled.Entries tensors) {
            walk.add("", tensors, 0);
            for (Map.Entry<Pickled, Pickled> entry : top.entries.entrySet()) {
                if (entry.getKey() instanceof Pickled.Text(String key) && !key.equals(STATE)) walk.note(key, entry.getValue());
            }
        } else {
            walk.add("", top, 0);
        }
        return new PickledTensors(walk.tensors, walk.metadata);
    }

    /// Bounded, since a dictionary may hold another many times, or itself.
    private static final class Walk {
        private final Path file;
        private final Places places;
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private int seen;

        Walk(Path file, Places places) {
            this.file = file;
            this.places = places;
        }

        void add(String prefix, Pickled.Entries dictionary, int depth) throws Failure {
            for (Map.Entry<Pickled, Pickled> entry : dictionary.entries.entrySet()) {
                if (++seen > MOST) throw new Failure.Incompatible(file + ": its pickle holds more than " + MOST + " entries; no model has as many");
                String name = switch (entry.getKey()) {
                    case Pickled.Text(String text) -> prefix + text;
                    case Pickled.Whole(long number) -> prefix + number;
                    default -> "";
                };
                if (name.isEmpty()) continue;
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
            Place place = places.of(tensor.storage()).orElseThrow(() -> new Failure.Unreadable(file + ": " + name + ": its numbers (storage " + tensor.storage().key() + ") are missing; download or copy it again"));
            long from = Math.multiplyExact(tensor.from(), (long) dtype.bytes());
            long length = Math.multiplyExact(tensor.shape().elements(), (long) dtype.bytes());
            if (length > place.length() - from) {
                throw new Failure.Unreadable(file + ": " + name + ": " + dtype + " " + tensor.shape() + " needs " + length + " bytes from " + from + " on, its storage has " + place.length() + "; download or copy it again");
            }
            return new TensorInfo(name, dtype, tensor.shape(), place.offset() + from, length);
        }
    }
}
