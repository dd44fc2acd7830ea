package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// Writes float32 tensors as safetensors. Equal tensors and metadata give equal bytes: names are sorted, nothing else is written.
public final class SafetensorsWriter {
    private SafetensorsWriter() {}

    /// Writes beside the target and moves, so that a reader sees the old file or the whole new one.
    /// @throws Failure.Unwritable when the disk is full or the folder cannot be written; the old file is kept
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws Failure {
        Map<String, Tensor> sorted = new TreeMap<>(tensors);
        Map<String, Shape> shapes = new TreeMap<>();
        sorted.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        byte[] header = header(shapes, metadata);
        AtomicFile.write(file, out -> {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
            out.write(header);
            for (Tensor tensor : sorted.values()) write(out, tensor.data());
        });
    }

    /// Bytes of the file that `write` would make.
    public static long length(Map<String, Shape> tensors, Map<String, String> metadata) {
        return 8L + header(new TreeMap<>(tensors), metadata).length + tensors.values().stream().mapToLong(shape -> 4L * shape.elements()).sum();
    }

    private static byte[] header(Map<String, Shape> tensors, Map<String, String> metadata) {
        JsonObject json = new JsonObject();
        if (!metadata.isEmpty()) {
            JsonObject strings = new JsonObject();
            new TreeMap<>(metadata).forEach(strings::addProperty);
            json.add("__metadata__", strings);
        }
        long offset = 0;
        for (Map.Entry<String, Shape> entry : tensors.entrySet()) {
            JsonObject info = new JsonObject();
            info.addProperty("dtype", DType.F32.name());
            JsonArray shape = new JsonArray();
            for (long size : entry.getValue().sizes()) shape.add(size);
            info.add("shape", shape);
            JsonArray offsets = new JsonArray();
            offsets.add(offset);
            offset += 4L * entry.getValue().elements();
            offsets.add(offset);
            info.add("data_offsets", offsets);
            json.add(entry.getKey(), info);
        }
        String text = json.toString();
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        return (text + " ".repeat((8 - length % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    }

    private static void write(OutputStream out, float[] numbers) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        int most = buffer.capacity() / 4;
        for (int at = 0; at < numbers.length; at += most) {
            int count = Math.min(most, numbers.length - at);
            buffer.asFloatBuffer().put(numbers, at, count);
            out.write(buffer.array(), 0, 4 * count);
        }
    }
}
