package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;

/// One safetensors file behind one read-only memory map: 8 bytes header length (little endian), JSON header, tensors.
/// Owns the map until closed; reading from several threads is fine.
/// Source: huggingface/safetensors, "Format".
public final class Safetensors implements AutoCloseable {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final SafetensorsHeader header;

    private Safetensors(Path file, Arena arena, MemorySegment bytes, SafetensorsHeader header) {
        this.file = file;
        this.arena = arena;
        this.bytes = bytes;
        this.header = header;
    }

    /// Maps the file and checks its whole header; no tensor is read yet.
    /// @throws Failure.Unreadable when the file is missing, truncated, or its header is not what the format says
    public static Safetensors open(Path file) throws Failure {
        if (!Files.isRegularFile(file)) {
            throw new Failure.Unreadable(file + ": expected a safetensors file, found " + (Files.isDirectory(file) ? "a folder" : "nothing"));
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new Safetensors(file, arena, bytes, SafetensorsHeader.read(file, bytes));
        } catch (NoSuchFileException e) {
            arena.close();
            throw new Failure.Unreadable(file + ": no such file", e);
        } catch (IOException e) {
            arena.close();
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        } catch (Failure e) {
            arena.close();
            throw e;
        }
    }

    public Path file() {
        return file;
    }

    /// The metadata strings of the header.
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /// All tensors by name, in the order of their bytes.
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(header.tensors());
    }

    public boolean has(String name) {
        return header.tensors().containsKey(name);
    }

    /// @throws IllegalArgumentException when the file has no such tensor
    public TensorInfo info(String name) {
        TensorInfo info = header.tensors().get(name);
        if (info == null) throw new IllegalArgumentException(file + ": no tensor named " + name);
        return info;
    }

    /// A tensor widened (or, from float64 and integers, rounded) to float32.
    /// @throws IllegalArgumentException when the file has no such tensor, or it has over 2^31 elements
    public Tensor read(String name) {
        TensorInfo info = info(name);
        if (info.shape().elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(file + ": " + name + " " + info.shape() + " is too large to be read at once");
        }
        float[] numbers = new float[(int) info.shape().elements()];
        MemorySegment data = bytes.asSlice(info.offset(), info.bytes());
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = switch (info.dtype()) {
                case F32 -> Float.intBitsToFloat(data.get(INT, 4L * i));
                case F16 -> Float.float16ToFloat(data.get(SHORT, 2L * i));
                case BF16 -> Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
                case F64 -> (float) Double.longBitsToDouble(data.get(LONG, 8L * i));
                case I64 -> data.get(LONG, 8L * i);
                case I32 -> data.get(INT, 4L * i);
                case I16 -> data.get(SHORT, 2L * i);
                case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
                case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            };
        }
        return new Tensor(info.shape(), numbers);
    }

    /// A tensor's mapped bytes, little endian; valid until this file is closed.
    /// @throws IllegalArgumentException when the file has no such tensor
    public MemorySegment bytes(String name) {
        TensorInfo info = info(name);
        return bytes.asSlice(info.offset(), info.bytes());
    }

    /// The mapped bytes of everything after the header: what hashes of weights are taken over.
    public MemorySegment payload() {
        return bytes.asSlice(header.payload());
    }

    @Override public void close() {
        arena.close();
    }
}
