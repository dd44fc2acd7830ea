package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/// Writes safetensors files. Names are sorted, so equal tensors and metadata give equal bytes.
public final class SafetensorsWriter {
    private SafetensorsWriter() {}

    /// Writes a file of float32 tensors atomically.
    /// @throws Failure.Unwritable when the disk is full or the folder cannot be written; the old file is kept
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws Failure {
        Map<String, Tensor> sorted = new TreeMap<>(tensors);
        AtomicFile.write(file, out -> {
            writeHeader(out, shapes(sorted), metadata, DType.F32);
            for (Tensor tensor : sorted.values()) write(out, tensor.data());
        });
    }

    /// Writes a file atomically, computing one tensor at a time in the order of the names, so that only one is in
    /// memory.
    /// @param dtype F32, F16 or BF16
    /// @param tensors returns the tensor of a name, of the shape in `shapes`
    /// @throws Failure.Unwritable when the disk is full or the folder cannot be written; the old file is kept
    public static void write(Path file, Map<String, Shape> shapes, Map<String, String> metadata, DType dtype,
            Function<String, Tensor> tensors) throws Failure {
        Map<String, Shape> sorted = new TreeMap<>(shapes);
        AtomicFile.write(file, out -> {
            writeHeader(out, sorted, metadata, dtype);
            for (Map.Entry<String, Shape> entry : sorted.entrySet()) {
                Tensor tensor = tensors.apply(entry.getKey());
                if (!tensor.shape().equals(entry.getValue()))
                    throw new IllegalArgumentException(
                            entry.getKey() + ": expected " + entry.getValue() + ", found " + tensor.shape());
                out.write(encode(tensor, dtype));
            }
        });
    }

    /// Writes what comes before the tensors' bytes, which follow in the order of the names.
    public static void writeHeader(OutputStream out, Map<String, Shape> shapes, Map<String, String> metadata,
            DType dtype) throws IOException {
        byte[] header = header(new TreeMap<>(shapes), metadata, dtype);
        out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
        out.write(header);
    }

    private static byte[] encode(Tensor tensor, DType dtype) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(dtype.bytes(), tensor.data().length))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float value : tensor.data()) {
            switch (dtype) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(Float.floatToFloat16(value));
                case BF16 -> bytes.putShort(bfloat16(value));
                default -> throw new IllegalArgumentException("dtype: expected F32, F16 or BF16, found " + dtype);
            }
        }
        return bytes.array();
    }

    /// Rounds to nearest, ties to even, as PyTorch does. NaN stays NaN.
    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) return (short) (bits >>> 16 | 0x40);
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /// The content of a small file.
    /// @param dtype F32, F16 or BF16
    public static byte[] toBytes(Map<String, Tensor> tensors, Map<String, String> metadata, DType dtype) {
        Map<String, Tensor> sorted = new TreeMap<>(tensors);
        byte[] header = header(shapes(sorted), metadata, dtype);
        long elements = sorted.values().stream().mapToLong(tensor -> tensor.data().length).sum();
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(8 + header.length + dtype.bytes() * elements))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header.length).put(header);
        for (Tensor tensor : sorted.values()) bytes.put(encode(tensor, dtype));
        return bytes.array();
    }

    private static Map<String, Shape> shapes(Map<String, Tensor> tensors) {
        Map<String, Shape> shapes = new TreeMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        return shapes;
    }

    /// Size in bytes of the float32 file that `write` produces.
    public static long fileLength(Map<String, Shape> tensors, Map<String, String> metadata) {
        return fileLength(tensors, metadata, DType.F32);
    }

    /// Size in bytes of the file that `write` produces.
    public static long fileLength(Map<String, Shape> tensors, Map<String, String> metadata, DType dtype) {
        return 8L + header(new TreeMap<>(tensors), metadata, dtype).length
                + tensors.values().stream().mapToLong(shape -> dtype.bytes() * shape.elements()).sum();
    }

    private static byte[] header(Map<String, Shape> tensors, Map<String, String> metadata, DType dtype) {
        JsonObject json = new JsonObject();
        if (!metadata.isEmpty()) {
            JsonObject strings = new JsonObject();
            new TreeMap<>(metadata).forEach(strings::addProperty);
            json.add("__metadata__", strings);
        }
        long offset = 0;
        for (Map.Entry<String, Shape> entry : tensors.entrySet()) {
            JsonObject info = new JsonObject();
            info.addProperty("dtype", dtype.name());
            JsonArray shape = new JsonArray();
            for (long size : entry.getValue().sizes()) shape.add(size);
            info.add("shape", shape);
            JsonArray offsets = new JsonArray();
            offsets.add(offset);
            offset += (long) dtype.bytes() * entry.getValue().elements();
            offsets.add(offset);
            info.add("data_offsets", offsets);
            json.add(entry.getKey(), info);
        }
        String text = json.toString();
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        return (text + " ".repeat((8 - length % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    }

    private static void write(OutputStream out, float[] values) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        int bufferFloats = buffer.capacity() / 4;
        for (int at = 0; at < values.length; at += bufferFloats) {
            int count = Math.min(bufferFloats, values.length - at);
            buffer.asFloatBuffer().put(values, at, count);
            out.write(buffer.array(), 0, 4 * count);
        }
    }
}
