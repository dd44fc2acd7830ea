package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// PyTorch's format before 1.6: pickles of a magic number, a protocol, the system, the object and the storages' keys; then every storage's
/// count of elements and its bytes, in the order of the keys.
/// Source: pytorch, torch/serialization.py, `_legacy_save`.
final class LegacyFormat {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int PROTOCOL = 1001;

    private LegacyFormat() {}

    static StateDict read(Path file, MemorySegment bytes) throws Failure {
        Unpickler.Result magic = Unpickler.read(file, bytes, 0);
        if (!(magic.value() instanceof PickleValue.Opaque)) throw unknownFormat(file);           // 0x1950a86a20f9469cfc6c: ten bytes, so no number here
        Unpickler.Result protocol = Unpickler.read(file, bytes, magic.end());
        if (!(protocol.value() instanceof PickleValue.PyInt(long version)) || version != PROTOCOL) throw unknownFormat(file);
        Unpickler.Result system = Unpickler.read(file, bytes, protocol.end());
        if (system.value() instanceof PickleValue.PyDict systemInfo && new PickleValue.PyBool(false).equals(systemInfo.entries.get("little_endian"))) {
            throw new Failure.Incompatible(file + ": its numbers are big-endian; get the model as safetensors");
        }
        Unpickler.Result object = Unpickler.read(file, bytes, system.end());
        Unpickler.Result keys = Unpickler.read(file, bytes, object.end());
        if (!(keys.value() instanceof PickleValue.PyList list)) throw unknownFormat(file);
        Map<String, StateDict.ByteRange> ranges = new HashMap<>();
        long offset = keys.end();
        for (PickleValue key : list.items) {
            if (!(key instanceof PickleValue.PyString(String name)) || !object.storages().containsKey(name)) throw unknownFormat(file);
            PickleValue.Storage storage = object.storages().get(name);
            long length = Math.multiplyExact(storage.elements(), (long) storage.dtype().bytes());
            if (bytes.get(LONG, offset) != storage.elements() || length > bytes.byteSize() - offset - Long.BYTES) {
                throw new Failure.Unreadable(file + ": is truncated or damaged: storage " + name + " should have " + storage.elements() + " elements from byte " + offset + "; download or copy it again");
            }
            ranges.put(name, new StateDict.ByteRange(offset + Long.BYTES, length));
            offset += Long.BYTES + length;
        }
        return StateDict.of(file, bytes.byteSize(), object.value(), storage -> Optional.ofNullable(ranges.get(storage.key())));
    }

    private static Failure unknownFormat(Path file) {
        return new Failure.Incompatible(file + ": is a pickle, but none that PyTorch writes; expected a model as safetensors or as PyTorch saves it");
    }
}
