package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The checked header of a safetensors file. `payload` is the offset of the first tensor's bytes.
record SafetensorsHeader(long payload, Map<String, String> metadata, Map<String, TensorInfo> tensors) {
    /// The format's own limit.
    private static final long LONGEST = 100_000_000;

    static SafetensorsHeader read(Path file, MemorySegment bytes) throws Failure {
        long size = bytes.byteSize();
        if (size < 10) throw bad(file, "expected a safetensors header, found only " + size + " bytes; the download may be incomplete");
        long length = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        if (length < 2 || length > LONGEST) {
            throw bad(file, "is not a safetensors file: its first 8 bytes would mean a header of " + Long.toUnsignedString(length) + " bytes; choose a .safetensors file, or download it again");
        }
        if (8 + length > size) {
            throw bad(file, "is truncated: its header alone should have " + length + " bytes, the file has " + size + "; download or copy it again");
        }
        JsonObject json = parse(file, bytes.asSlice(8, length));
        Map<String, String> metadata = new LinkedHashMap<>();
        List<TensorInfo> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            if (entry.getKey().equals("__metadata__")) metadata.putAll(strings(file, entry.getValue()));
            else tensors.add(tensor(file, entry.getKey(), entry.getValue(), 8 + length, size));
        }
        return new SafetensorsHeader(8 + length, Map.copyOf(metadata), inOrder(file, tensors));
    }

    private static JsonObject parse(Path file, MemorySegment header) throws Failure {
        String text = new String(header.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        if (!text.startsWith("{")) throw bad(file, "is not a safetensors file: its header does not start with '{'");
        try {
            return JsonParser.parseString(text).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException | StackOverflowError e) {
            throw new Failure.Unreadable(file + ": its safetensors header is not valid JSON (" + firstLine(e) + ")", e);
        }
    }

    private static Map<String, String> strings(Path file, JsonElement json) throws Failure {
        Map<String, String> metadata = new LinkedHashMap<>();
        if (!json.isJsonObject()) throw bad(file, "__metadata__: expected an object of strings");
        for (Map.Entry<String, JsonElement> entry : json.getAsJsonObject().entrySet()) {
            if (!entry.getValue().isJsonPrimitive()) throw bad(file, "__metadata__." + entry.getKey() + ": expected a string");
            metadata.put(entry.getKey(), entry.getValue().getAsString());
        }
        return metadata;
    }

    private static TensorInfo tensor(Path file, String name, JsonElement json, long payload, long size) throws Failure {
        try {
            JsonObject object = json.getAsJsonObject();
            DType dtype = dtype(file, name, object.get("dtype").getAsString());
            JsonArray sizes = object.getAsJsonArray("shape");
            long[] axes = new long[sizes.size()];
            for (int i = 0; i < axes.length; i++) axes[i] = whole(sizes.get(i));
            Shape shape = new Shape(axes);
            JsonArray offsets = object.getAsJsonArray("data_offsets");
            long begin = whole(offsets.get(0));
            long end = whole(offsets.get(1));
            long bytes = Math.multiplyExact(shape.elements(), dtype.bytes());
            if (begin < 0 || end < begin || end - begin != bytes) {
                throw bad(file, name + ": " + dtype + " " + shape + " needs " + bytes + " bytes, its offsets " + begin + " to " + end + " say otherwise");
            }
            if (end > size - payload) {
                throw bad(file, "is truncated: " + name + " should end at byte " + (payload + end) + ", the file has " + size + "; download or copy it again");
            }
            return new TensorInfo(name, dtype, shape, payload + begin, bytes);
        } catch (RuntimeException e) {
            throw new Failure.Unreadable(file + ": " + name + ": expected dtype, shape and data_offsets (" + firstLine(e) + ")", e);
        }
    }

    private static long whole(JsonElement number) {
        return number.getAsBigDecimal().longValueExact();
    }

    private static DType dtype(Path file, String name, String dtype) throws Failure {
        for (DType known : DType.values()) {
            if (known.name().equals(dtype)) return known;
        }
        throw bad(file, name + ": element type " + dtype + " is not supported; expected F32, F16, BF16, F64 or integers");
    }

    private static Map<String, TensorInfo> inOrder(Path file, List<TensorInfo> tensors) throws Failure {
        tensors.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::bytes));
        Map<String, TensorInfo> ordered = new LinkedHashMap<>();
        TensorInfo previous = null;
        for (TensorInfo tensor : tensors) {
            if (previous != null && tensor.offset() < previous.offset() + previous.bytes()) {
                throw bad(file, previous.name() + " and " + tensor.name() + " overlap");
            }
            previous = tensor;
            ordered.put(tensor.name(), tensor);
        }
        return ordered;
    }

    private static String firstLine(Throwable e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
    }

    private static Failure.Unreadable bad(Path file, String what) {
        return new Failure.Unreadable(file + ": " + what);
    }
}
