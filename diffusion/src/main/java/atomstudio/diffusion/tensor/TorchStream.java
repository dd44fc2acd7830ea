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
final class TorchStream {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int PROTOCOL = 1001;

    private TorchStream() {}

    static PickledTensors read(Path file, MemorySegment bytes) throws Failure {
        Unpickler.Result magic = Unpickler.read(file, bytes, 0);
        if (!(magic.value() instanceof Pickled.Other)) throw foreign(file);           // 0x1950a86a20f9469cfc6c: ten bytes, so no number here
        Unpickler.Result protocol = Unpickler.read(file, bytes, magic.end());
        if (!(protocol.value() instanceof Pickled.Whole(long version)) || version != PROTOCOL) throw foreign(file);
        Unpickler.Result system = Unpickler.read(file, bytes, protocol.end());
        if (system.value() instanceof Pickled.Entries says && new Pickled.Flag(false).equals(says.entries.get("little_endian"))) {
            throw new Failure.Incompatible(file + ": its numbers are big-endian; get the model as safetensors");
        }
        Unpickler.Result object = Unpickler.read(file, bytes, system.end());
        Unpickler.Result keys = Unpickler.read(file, bytes, object.end());
        if (!(keys.value() instanceof Pickled.Items list)) throw foreign(file);
        Map<String, PickledTensors.Place> places = new HashMap<>();
        long at = keys.end();
        for (Pickled key : list.items) {
            if (!(key instanceof Pickled.Text(String name)) || !object.storages().containsKey(name)) throw foreign(file);
            Pickled.Storage storage = object.storages().get(name);
            long length = Math.multiplyExact(storage.elements(), (long) storage.dtype().bytes());
            if (bytes.get(LONG, at) != storage.elements() || length > bytes.byteSize() - at - Long.BYTES) {
                throw new Failure.Unreadable(file + ": is truncated or damaged: storage " + name + " should have " + storage.elements() + " elements from byte " + at + "; download or copy it again");
            }
            places.put(name, new PickledTensors.Place(at + Long.BYTES, length));
            at += Long.BYTES + length;
        }
        return PickledTensors.of(file, bytes.byteSize(), object.value(), storage -> Optional.ofNullable(places.get(storage.key())));
    }

    private static Failure foreign(Path file) {
        return new Failure.Incompatible(file + ": is a pickle, but none that PyTorch writes; expected a model as safetensors or as PyTorch saves it");
    }
}
