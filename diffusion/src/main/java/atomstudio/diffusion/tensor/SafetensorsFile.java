package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.FileSnapshot;
import atomstudio.diffusion.file.Sha256;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A memory-mapped safetensors file: 8 bytes header length (little endian), JSON header, tensor data. Owns the map
/// until closed; several threads may read.
/// Source: huggingface/safetensors, "Format".
public final class SafetensorsFile implements TensorFile {
    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final SafetensorsHeader header;
    private final @Nullable FileSnapshot snapshot;

    private SafetensorsFile(Path file, Arena arena, MemorySegment bytes, @Nullable FileSnapshot snapshot)
            throws Failure {
        this.file = file;
        this.arena = arena;
        this.bytes = bytes;
        this.header = SafetensorsHeader.read(file, bytes);
        this.snapshot = snapshot;
    }

    /// Maps the file and checks its whole header; no tensor is read yet.
    /// @throws Failure.Unreadable when the file is missing or truncated, or its header is invalid
    public static SafetensorsFile open(Path file) throws Failure {
        if (!Files.isRegularFile(file)) {
            throw new Failure.Unreadable(file + ": expected a safetensors file, found "
                    + (Files.isDirectory(file) ? "a folder" : "nothing"));
        }
        MappedFile mapped = MappedFile.open(file);
        try {
            return new SafetensorsFile(file, mapped.arena(), mapped.bytes(), mapped.snapshot());
        } catch (Failure e) {
            mapped.arena().close();
            throw e;
        }
    }

    /// Reads the content of a safetensors file that is embedded in another file.
    /// @param file its name in messages
    public static SafetensorsFile of(Path file, byte[] content) throws Failure {
        Arena arena = Arena.ofShared();
        try {
            MemorySegment bytes = arena.allocate(Math.max(content.length, 1), Long.BYTES).asSlice(0, content.length);
            bytes.copyFrom(MemorySegment.ofArray(content));
            return new SafetensorsFile(file, arena, bytes, null);
        } catch (Failure e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public String contentHash() {
        return new Sha256().add(bytes.asSlice(header.dataOffset())).hex();
    }

    @Override
    public void checkUnchanged() throws Failure.Unreadable {
        if (snapshot != null) snapshot.checkUnchanged();
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// All tensors by name, in byte order.
    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(header.tensors());
    }

    @Override
    public MemorySegment bytes() {
        return bytes;
    }

    /// The mapped bytes after the header, over which weight hashes are computed.
    public MemorySegment payload() {
        return bytes.asSlice(header.dataOffset());
    }

    @Override
    public void close() {
        arena.close();
    }
}
