package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.FileSnapshot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One safetensors file behind one read-only memory map: 8 bytes header length (little endian), JSON header, tensors.
/// Owns the map until closed; reading from several threads is fine.
/// Source: huggingface/safetensors, "Format".
public final class SafetensorsFile implements TensorFile {
    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final SafetensorsHeader header;
    private @Nullable FileSnapshot state;

    private SafetensorsFile(Path file, Arena arena, MemorySegment bytes, SafetensorsHeader header) {
        this.file = file;
        this.arena = arena;
        this.bytes = bytes;
        this.header = header;
    }

    /// Maps the file and checks its whole header; no tensor is read yet.
    /// @throws Failure.Unreadable when the file is missing, truncated, or its header is not what the format says
    public static SafetensorsFile open(Path file) throws Failure {
        if (!Files.isRegularFile(file)) {
            throw new Failure.Unreadable(file + ": expected a safetensors file, found "
                    + (Files.isDirectory(file) ? "a folder" : "nothing"));
        }
        MappedFile mapped = MappedFile.open(file);
        try {
            SafetensorsFile opened = new SafetensorsFile(file, mapped.arena(), mapped.bytes(),
                    SafetensorsHeader.read(file, mapped.bytes()));
            opened.state = mapped.state();
            return opened;
        } catch (Failure e) {
            mapped.arena().close();
            throw e;
        }
    }

    /// The same of bytes that lie in another file.
    /// @param file names them in messages
    public static SafetensorsFile of(Path file, byte[] content) throws Failure {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment bytes = arena.allocate(Math.max(content.length, 1), Long.BYTES).asSlice(0, content.length);
            bytes.copyFrom(MemorySegment.ofArray(content));
            return new SafetensorsFile(file, arena, bytes, SafetensorsHeader.read(file, bytes));
        } catch (Failure e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void checkUnchanged() throws Failure.Unreadable {
        if (state != null) state.checkUnchanged();
    }

    @Override
    public Path file() {
        return file;
    }

    /// The metadata strings of the header.
    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// All tensors by name, in the order of their bytes.
    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(header.tensors());
    }

    @Override
    public MemorySegment bytes() {
        return bytes;
    }

    /// The mapped bytes of everything after the header: what hashes of weights are taken over.
    public MemorySegment payload() {
        return bytes.asSlice(header.dataOffset());
    }

    @Override
    public void close() {
        arena.close();
    }
}
