package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.FileSnapshot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// A file that PyTorch pickled (.ckpt, .pt, .pth, .bin) behind one read-only memory map: its tensors lie in it as
/// they are. No code of it ever runs. Nested dictionaries give names with dots (`string_to_param.*`); a `state_dict`
/// is taken by itself, and numbers and texts beside it are metadata.
/// Source: pytorch, torch/serialization.py: a ZIP archive of stored entries since 1.6, pickles one after the other
/// before.
public final class TorchFile implements TensorFile {
    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, String> metadata;
    private final TreeMap<Long, StateDict.StridedTensor> strided;
    private final Map<Long, MemorySegment> contiguous = new ConcurrentHashMap<>();
    private final FileSnapshot state;

    private TorchFile(Path file, MappedFile mapped, StateDict found) {
        this.file = file;
        this.arena = mapped.arena();
        this.bytes = mapped.bytes();
        this.tensors = found.tensors();
        this.metadata = found.metadata();
        this.strided = found.strided();
        this.state = mapped.state();
    }

    /// Maps the file and reads its pickle; no tensor is read yet.
    /// @throws Failure.Unreadable when the file is missing, truncated or damaged
    /// @throws Failure.Incompatible when it holds more than tensors and plain data, or tensors that are stored
    ///     compressed
    public static TorchFile open(Path file) throws Failure {
        MappedFile mapped = MappedFile.open(file);
        try {
            boolean isZip = mapped.bytes().byteSize() > 4 && mapped.bytes().get(ValueLayout.JAVA_BYTE, 0) == 'P';
            return new TorchFile(file, mapped,
                    isZip ? readArchive(file, mapped.bytes()) : LegacyFormat.read(file, mapped.bytes()));
        } catch (Failure e) {
            mapped.arena().close();
            throw e;
        } catch (IndexOutOfBoundsException | ArithmeticException | IllegalArgumentException e) {
            mapped.arena().close();
            throw new Failure.Unreadable(
                    file + ": its sizes and offsets do not fit the file; download or copy it again", e);
        }
    }

    private static StateDict readArchive(Path file, MemorySegment bytes) throws Failure {
        Map<String, StoredZip.Entry> entries = StoredZip.entries(file, bytes.byteSize());
        String pickleName = entries.keySet()
                .stream()
                .filter(name -> name.equals("data.pkl") || name.endsWith("/data.pkl"))
                .findFirst()
                .orElseThrow(() -> new Failure.Incompatible(
                        file + ": is a ZIP archive without data.pkl, so not a file of PyTorch's; expected a model in one file, or the folder that was zipped"));
        String folder = pickleName.substring(0, pickleName.length() - "data.pkl".length());
        if (entries.containsKey(folder + "constants.pkl"))
            throw new Failure.Incompatible(
                    file + ": is a TorchScript program, not a file of tensors; get the model as safetensors");
        StoredZip.Entry byteOrder = entries.get(folder + "byteorder");
        if (byteOrder != null
                && new String(slice(file, bytes, folder + "byteorder", byteOrder).toArray(ValueLayout.JAVA_BYTE),
                        StandardCharsets.US_ASCII).startsWith("big")) {
            throw new Failure.Incompatible(file + ": its numbers are big-endian; get the model as safetensors");
        }
        MemorySegment pickleBytes = slice(file, bytes, pickleName, entries.get(pickleName));
        if (pickleBytes.byteSize() > Unpickler.MAX_PICKLE_BYTES)
            throw new Failure.Incompatible(file + ": its data.pkl of " + pickleBytes.byteSize()
                    + " bytes is larger than any file of tensors needs");
        return StateDict.of(file, bytes.byteSize(), Unpickler.read(file, pickleBytes, 0).value(), storage -> {
            String name = folder + "data/" + storage.key();
            StoredZip.Entry entry = entries.get(name);
            if (entry == null) return Optional.empty();
            slice(file, bytes, name, entry);
            return Optional.of(new StateDict.ByteRange(entry.offset(), entry.length()));
        });
    }

    private static MemorySegment slice(Path file, MemorySegment bytes, String name, StoredZip.Entry entry)
            throws Failure {
        if (entry.isCompressed())
            throw new Failure.Incompatible(file + ": " + name
                    + " is compressed, which PyTorch never does; save the model again, or get it as safetensors");
        return bytes.asSlice(entry.offset(), entry.length());
    }

    @Override
    public void checkUnchanged() throws Failure.Unreadable {
        state.checkUnchanged();
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public MemorySegment bytes() {
        return bytes;
    }

    /// Tensors that were saved out of order are copied, once.
    @Override
    public MemorySegment bytes(TensorInfo info) {
        if (isContiguous(info)) return bytes.asSlice(info.offset(), info.byteLength());
        StateDict.StridedTensor tensor = strided.floorEntry(info.offset()).getValue();
        MemorySegment elements = contiguous.computeIfAbsent(tensor.info().offset(),
                offset -> tensor.toContiguous(bytes, arena));
        return elements.asSlice(info.offset() - tensor.info().offset(), info.byteLength());
    }

    @Override
    public boolean isContiguous(TensorInfo info) {
        return info.offset() + info.byteLength() <= bytes.byteSize();
    }

    @Override
    public void close() {
        arena.close();
    }

    /// PyTorch's format before 1.6: pickles of a magic number, a protocol, the system, the object and the storages'
    /// keys; then every storage's count of elements and its bytes, in the order of the keys.
    /// Source: pytorch, torch/serialization.py, `_legacy_save`.
    static final class LegacyFormat {
        private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED
                .withOrder(ByteOrder.LITTLE_ENDIAN);

        private static final int PROTOCOL = 1001;

        private LegacyFormat() {}

        static StateDict read(Path file, MemorySegment bytes) throws Failure {
            Unpickler.Result magic = Unpickler.read(file, bytes, 0);
            if (!(magic.value() instanceof PickleValue.Opaque)) throw unknownFormat(file); // 0x1950a86a20f9469cfc6c: ten bytes, so no number here
            Unpickler.Result protocol = Unpickler.read(file, bytes, magic.end());
            if (!(protocol.value() instanceof PickleValue.PyInt(long version)) || version != PROTOCOL)
                throw unknownFormat(file);
            Unpickler.Result system = Unpickler.read(file, bytes, protocol.end());
            if (system.value() instanceof PickleValue.PyDict systemInfo
                    && new PickleValue.PyBool(false).equals(systemInfo.entries.get("little_endian"))) {
                throw new Failure.Incompatible(file + ": its numbers are big-endian; get the model as safetensors");
            }
            Unpickler.Result object = Unpickler.read(file, bytes, system.end());
            Unpickler.Result keys = Unpickler.read(file, bytes, object.end());
            if (!(keys.value() instanceof PickleValue.PyList list)) throw unknownFormat(file);
            Map<String, StateDict.ByteRange> ranges = new HashMap<>();
            long offset = keys.end();
            for (PickleValue key : list.items) {
                if (!(key instanceof PickleValue.PyString(String name)) || !object.storages().containsKey(name))
                    throw unknownFormat(file);
                PickleValue.Storage storage = object.storages().get(name);
                long length = Math.multiplyExact(storage.elements(), (long) storage.dtype().bytes());
                if (bytes.get(LONG, offset) != storage.elements() || length > bytes.byteSize() - offset - Long.BYTES) {
                    throw new Failure.Unreadable(file + ": is truncated or damaged: storage " + name + " should have "
                            + storage.elements() + " elements from byte " + offset + "; download or copy it again");
                }
                ranges.put(name, new StateDict.ByteRange(offset + Long.BYTES, length));
                offset += Long.BYTES + length;
            }
            return StateDict.of(file, bytes.byteSize(), object.value(),
                    storage -> Optional.ofNullable(ranges.get(storage.key())));
        }

        private static Failure unknownFormat(Path file) {
            return new Failure.Incompatible(file
                    + ": is a pickle, but none that PyTorch writes; expected a model as safetensors or as PyTorch saves it");
        }
    }
}
