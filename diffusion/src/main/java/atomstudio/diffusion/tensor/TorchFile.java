package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.FileSnapshot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// A file that PyTorch pickled (.ckpt, .pt, .pth, .bin) behind one read-only memory map: its tensors lie in it as they are. No code of it ever runs.
/// Nested dictionaries give names with dots (`string_to_param.*`); a `state_dict` is taken by itself, and numbers and texts beside it are metadata.
/// Source: pytorch, torch/serialization.py: a ZIP archive of stored entries since 1.6, pickles one after the other before.
public final class TorchFile implements TensorFile {
    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, String> metadata;
    private final TreeMap<Long, Strided> strided;
    private final Map<Long, MemorySegment> ordered = new ConcurrentHashMap<>();
    private final FileSnapshot state;

    private TorchFile(Path file, MappedFile mapped, PickledTensors found) {
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
    /// @throws Failure.Incompatible when it holds more than tensors and plain data, or tensors that are stored compressed
    public static TorchFile open(Path file) throws Failure {
        MappedFile mapped = MappedFile.open(file);
        try {
            boolean zip = mapped.bytes().byteSize() > 4 && mapped.bytes().get(ValueLayout.JAVA_BYTE, 0) == 'P';
            return new TorchFile(file, mapped, zip ? archive(file, mapped.bytes()) : TorchStream.read(file, mapped.bytes()));
        } catch (Failure e) {
            mapped.arena().close();
            throw e;
        } catch (IndexOutOfBoundsException | ArithmeticException | IllegalArgumentException e) {
            mapped.arena().close();
            throw new Failure.Unreadable(file + ": its sizes and offsets do not fit the file; download or copy it again", e);
        }
    }

    private static PickledTensors archive(Path file, MemorySegment bytes) throws Failure {
        Map<String, StoredZip.Span> entries = StoredZip.entries(file, bytes);
        String pickle = entries.keySet().stream().filter(name -> name.equals("data.pkl") || name.endsWith("/data.pkl")).findFirst().orElseThrow(() -> new Failure.Incompatible(
                file + ": is a ZIP archive without data.pkl, so not a file of PyTorch's; expected a model in one file, or the folder that was zipped"));
        String folder = pickle.substring(0, pickle.length() - "data.pkl".length());
        if (entries.containsKey(folder + "constants.pkl")) throw new Failure.Incompatible(file + ": is a TorchScript program, not a file of tensors; get the model as safetensors");
        StoredZip.Span order = entries.get(folder + "byteorder");
        if (order != null && new String(stretch(file, bytes, folder + "byteorder", order).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII).startsWith("big")) {
            throw new Failure.Incompatible(file + ": its numbers are big-endian; get the model as safetensors");
        }
        MemorySegment program = stretch(file, bytes, pickle, entries.get(pickle));
        if (program.byteSize() > Unpickler.LONGEST) throw new Failure.Incompatible(file + ": its data.pkl of " + program.byteSize() + " bytes is larger than any file of tensors needs");
        return PickledTensors.of(file, bytes.byteSize(), Unpickler.read(file, program, 0).value(), storage -> {
            String name = folder + "data/" + storage.key();
            StoredZip.Span span = entries.get(name);
            if (span == null) return Optional.empty();
            stretch(file, bytes, name, span);
            return Optional.of(new PickledTensors.Place(span.offset(), span.length()));
        });
    }

    private static MemorySegment stretch(Path file, MemorySegment bytes, String name, StoredZip.Span span) throws Failure {
        if (span.compressed()) throw new Failure.Incompatible(file + ": " + name + " is compressed, which PyTorch never does; save the model again, or get it as safetensors");
        return bytes.asSlice(span.offset(), span.length());
    }

    @Override public void check() throws Failure.Unreadable {
        state.checkUnchanged();
    }

    @Override public Path file() {
        return file;
    }

    @Override public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    @Override public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override public MemorySegment bytes() {
        return bytes;
    }

    /// Tensors that were saved out of order are copied, once.
    @Override public MemorySegment bytes(TensorInfo info) {
        if (inOrder(info)) return bytes.asSlice(info.offset(), info.bytes());
        Strided tensor = strided.floorEntry(info.offset()).getValue();
        MemorySegment all = ordered.computeIfAbsent(tensor.info().offset(), offset -> tensor.inOrder(bytes, arena));
        return all.asSlice(info.offset() - tensor.info().offset(), info.bytes());
    }

    @Override public boolean inOrder(TensorInfo info) {
        return info.offset() + info.bytes() <= bytes.byteSize();
    }

    @Override public void close() {
        arena.close();
    }
}
