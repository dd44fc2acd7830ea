package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The state dict of a pickle: tensors by name, and the plain values next to them.
/// @param strided the non-contiguous tensors by their virtual offset, which is beyond the end of the file
record StateDict(Map<String, TensorInfo> tensors, Map<String, String> metadata, TreeMap<Long, StridedTensor> strided) {
    private static final int MAX_DEPTH = 6;
    private static final int MAX_ENTRIES = 200_000;
    private static final int MAX_NAME_LENGTH = 1 << 10;
    /// Keys under which training programs store the state dict, in order of precedence.
    private static final List<String> STATE_DICT_KEYS = List.of("state_dict", "model_state_dict", "params_ema",
            "params", "model", "module", "net");

    /// The byte range of a storage in the file.
    record ByteRange(long offset, long length) {}

    /// Locates storages; empty when the file has none of that key.
    @FunctionalInterface
    interface StorageLocator {
        Optional<ByteRange> locate(PickleValue.Storage storage) throws Failure;
    }

    /// @param fileSize in bytes
    static StateDict of(Path file, long fileSize, PickleValue root, StorageLocator locator) throws Failure {
        if (!(root instanceof PickleValue.PyDict top))
            throw new Failure.Incompatible(
                    file + ": expected a dictionary of tensors in its pickle, found another object");
        Collector collector = new Collector(file, fileSize, locator);
        PickleValue.PyDict dictionary = top;
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            Optional<String> key = stateDictKey(dictionary);
            if (key.isEmpty()) break;
            for (Map.Entry<String, PickleValue> entry : dictionary.entries.entrySet())
                if (!entry.getKey().equals(key.get())) collector.addMetadata(entry.getKey(), entry.getValue());
            dictionary = (PickleValue.PyDict) dictionary.entries.get(key.get());
        }
        collector.add("", dictionary, 0);
        return new StateDict(collector.tensors, collector.metadata, collector.strided);
    }

    /// `state_dict` always; any other key only if the dictionary itself has no tensors.
    private static Optional<String> stateDictKey(PickleValue.PyDict dictionary) {
        boolean hasTensors = dictionary.entries.values().stream().anyMatch(PickleValue.TensorRef.class::isInstance);
        return STATE_DICT_KEYS.stream()
                .filter(key -> dictionary.entries.get(key) instanceof PickleValue.PyDict
                        && (!hasTensors || key.equals(STATE_DICT_KEYS.getFirst())))
                .findFirst();
    }

    /// Flattens nested dictionaries. Depth and entry count are bounded, since a dictionary may contain itself, or
    /// another one many times.
    private static final class Collector {
        private final Path file;
        private final long fileSize;
        private final StorageLocator locator;
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private final TreeMap<Long, StridedTensor> strided = new TreeMap<>();
        private long end;
        private int entryCount;

        Collector(Path file, long fileSize, StorageLocator locator) {
            this.file = file;
            this.fileSize = fileSize;
            this.locator = locator;
            this.end = fileSize + Long.BYTES - fileSize % Long.BYTES;
        }

        void add(String prefix, PickleValue.PyDict dictionary, int depth) throws Failure {
            if (dictionary.repeatedKey != null) throw repeated(prefix + dictionary.repeatedKey);
            for (Map.Entry<String, PickleValue> entry : dictionary.entries.entrySet()) {
                if (++entryCount > MAX_ENTRIES)
                    throw new Failure.Incompatible(
                            file + ": its pickle holds more than " + MAX_ENTRIES + " entries; no model has that many");
                String name = prefix + entry.getKey();
                if (name.length() > MAX_NAME_LENGTH)
                    throw new Failure.Incompatible(file + ": its pickle has a name of " + name.length()
                            + " characters, longer than any tensor's: " + SafeText.of(name));
                switch (entry.getValue()) {
                    case PickleValue.TensorRef tensor -> {
                        if (tensors.put(name, tensorInfo(name, tensor)) != null) throw repeated(name);
                    }
                    case PickleValue.PyDict nested when depth < MAX_DEPTH -> add(name + ".", nested, depth + 1);
                    default -> addMetadata(name, entry.getValue());
                }
            }
        }

        private Failure repeated(String name) {
            return new Failure.Unreadable(file + ": " + SafeText.of(name) + " is in its pickle twice, and only one of "
                    + "them would be used; save the file again with each name once, or download it again");
        }

        void addMetadata(String name, PickleValue value) {
            switch (value) {
                case PickleValue.PyString(String text) -> metadata.put(name, text);
                case PickleValue.PyInt(long number) -> metadata.put(name, Long.toString(number));
                case PickleValue.PyFloat(double number) -> metadata.put(name, Double.toString(number));
                case PickleValue.PyBool(boolean set) -> metadata.put(name, Boolean.toString(set));
                default -> {}
            }
        }

        private TensorInfo tensorInfo(String name, PickleValue.TensorRef tensor) throws Failure {
            DType dtype = tensor.storage().dtype();
            ByteRange range = locator.locate(tensor.storage())
                    .orElseThrow(() -> new Failure.Unreadable(
                            file + ": " + SafeText.of(name) + ": its data (storage "
                                    + SafeText.of(tensor.storage().key())
                                    + ") is missing; download or copy it again"));
            long start = Math.multiplyExact(tensor.storageOffset(), (long) dtype.bytes());
            long length = Math.multiplyExact(tensor.shape().elements(), (long) dtype.bytes());
            long needed = tensor.strides().isEmpty() ? length
                    : Math.multiplyExact(tensor.storage().elements() - tensor.storageOffset(), (long) dtype.bytes());
            if (needed > range.length() - start) {
                throw new Failure.Unreadable(file + ": " + SafeText.of(name) + ": " + dtype + " " + tensor.shape()
                        + " needs " + needed + " bytes from byte " + start + ", its storage has " + range.length()
                        + "; download or copy it again");
            }
            if (tensor.strides().isEmpty())
                return new TensorInfo(name, dtype, tensor.shape(), range.offset() + start, length);
            return stridedInfo(name, tensor, range.offset() + start, length);
        }

        private TensorInfo stridedInfo(String name, PickleValue.TensorRef tensor, long source, long length)
                throws Failure {
            if (length > fileSize) {
                throw new Failure.Incompatible(file + ": " + SafeText.of(name) + " " + tensor.shape()
                        + " is an expanded view (strides " + tensor.strides() + "); save it after .contiguous()");
            }
            TensorInfo info = new TensorInfo(name, tensor.storage().dtype(), tensor.shape(), end, length);
            strided.put(end, new StridedTensor(info, source, tensor.strides()));
            end += length + Long.BYTES - length % Long.BYTES;
            return info;
        }
    }

    /// A non-contiguous tensor, as PyTorch saves a transposed one; copied to row-major order on first use.
    /// @param info its offset is virtual, beyond the end of the file
    /// @param sourceOffset file offset of its first element, in bytes
    /// @param strides in elements, one per axis
    record StridedTensor(TensorInfo info, long sourceOffset, List<Long> strides) {
        /// A row-major copy of the elements.
        /// @param file the bytes of the file
        MemorySegment toContiguous(MemorySegment file, Arena arena) {
            MemorySegment contiguous = arena.allocate(info.byteLength(), Long.BYTES);
            int elementBytes = info.dtype().bytes();
            long[] sizes = info.shape().sizes();
            long[] at = new long[sizes.length];
            long element = 0;
            for (long i = 0; i < info.shape().elements(); i++) {
                MemorySegment.copy(file, sourceOffset + element * elementBytes, contiguous, i * elementBytes,
                        elementBytes);
                for (int axis = sizes.length - 1; axis >= 0; axis--) {
                    element += strides.get(axis);
                    if (++at[axis] < sizes[axis]) break;
                    element -= at[axis] * strides.get(axis);
                    at[axis] = 0;
                }
            }
            return contiguous;
        }
    }
}
