package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.IOException;
import java.io.StringReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The validated header of a safetensors file. It rejects what the reference library rejects: bytes that belong to
/// no tensor, lenient JSON, sizes that are not integers; also duplicate keys, of which the reference takes the last.
/// As there, the header may start and end with white space.
/// Source: huggingface/safetensors 0.8, safetensors/src/tensor.rs.
/// @param dataOffset file offset of the first byte after the header
record SafetensorsHeader(long dataOffset, Map<String, String> metadata, Map<String, TensorInfo> tensors) {
    /// The limit of the format.
    private static final long MAX_HEADER_BYTES = 100_000_000;
    /// The limit of the reference's JSON parser.
    private static final int MAX_NESTING = 127;
    /// Digits of the largest offset.
    private static final int MAX_DIGITS = 18;

    static SafetensorsHeader read(Path file, MemorySegment bytes) throws Failure {
        long size = bytes.byteSize();
        if (size < 10)
            throw invalid(file,
                    "expected a safetensors header, found only " + size + " bytes; the download may be incomplete");
        long length = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        if (length < 2 || length > MAX_HEADER_BYTES) {
            throw invalid(file, "is not a safetensors file: its first 8 bytes give a header length of "
                    + Long.toUnsignedString(length) + "; choose a .safetensors file, or download it again");
        }
        if (8 + length > size) {
            throw invalid(file, "is truncated: its header should have " + length + " bytes, the file has " + size
                    + "; download or copy it again");
        }
        return new Parser(file, text(file, bytes.asSlice(8, length))).parse(8 + length, size);
    }

    private static String text(Path file, MemorySegment header) throws Failure {
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(header.toArray(ValueLayout.JAVA_BYTE)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Failure.Unreadable(
                    file + ": its safetensors header is not valid UTF-8; download or copy it again", e);
        }
    }

    /// The header's entry of one tensor.
    private record TensorEntry(DType dtype, Shape shape, long begin, long end) {}

    /// A streaming parser: a JSON tree would hide duplicate keys.
    private static final class Parser {
        private final Path file;
        private final String text;
        private final JsonReader json;
        /// The key that is being read, for messages.
        private String currentName = "";

        Parser(Path file, String text) {
            this.file = file;
            this.text = text;
            this.json = new JsonReader(new StringReader(text));
            json.setStrictness(Strictness.STRICT);
            json.setNestingLimit(MAX_NESTING);
        }

        SafetensorsHeader parse(long dataOffset, long size) throws Failure {
            if (!text.stripLeading().startsWith("{"))
                throw invalid(file, "is not a safetensors file: its header does not start with '{'");
            Map<String, String> metadata = new LinkedHashMap<>();
            Map<String, TensorEntry> entries = new LinkedHashMap<>();
            try {
                Set<String> seen = new HashSet<>();
                json.beginObject();
                while (json.hasNext()) {
                    currentName = name();
                    requireOnce(seen, currentName, currentName);
                    if (currentName.equals("__metadata__")) metadata(metadata);
                    else entries.put(currentName, tensor());
                }
                json.endObject();
                currentName = "";
                if (json.peek() != JsonToken.END_DOCUMENT)
                    throw invalid(file, "its safetensors header is not valid JSON: text after the end of the object");
            } catch (IOException | IllegalStateException | NumberFormatException | ArithmeticException e) {
                throw notJson(e);
            }
            return new SafetensorsHeader(dataOffset, Map.copyOf(metadata),
                    checkedTensors(file, entries, dataOffset, size));
        }

        /// The reference takes the last of duplicate keys, other readers the first.
        private void requireOnce(Set<String> seen, String key, String path) throws Failure {
            if (!seen.add(key))
                throw invalid(file, SafeText.of(path) + " is in its header twice, and only one of them would be used; "
                        + "save the file again with each name once, or download it again");
        }

        private Failure notJson(Exception e) {
            boolean syntax = e instanceof MalformedJsonException || e instanceof java.io.EOFException;
            String where = currentName.isEmpty() ? "" : SafeText.of(currentName) + ": ";
            String what = syntax ? "its safetensors header is not valid JSON (" + firstLine(e) + ")"
                    : where + "expected dtype, shape and data_offsets (" + firstLine(e) + ")";
            return new Failure.Unreadable(file + ": " + what, e);
        }

        private void metadata(Map<String, String> metadata) throws Failure, IOException {
            if (json.peek() == JsonToken.NULL) {
                json.nextNull();
                return;
            }
            if (json.peek() != JsonToken.BEGIN_OBJECT)
                throw invalid(file, "__metadata__: expected an object of strings");
            Set<String> seen = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String key = name();
                requireOnce(seen, key, "__metadata__." + key);
                if (json.peek() != JsonToken.STRING)
                    throw invalid(file, "__metadata__." + SafeText.of(key) + ": expected a string");
                metadata.put(key, requireValidUnicode(json.nextString()));
            }
            json.endObject();
        }

        private TensorEntry tensor() throws Failure, IOException {
            DType dtype = null;
            Shape shape = null;
            long[] offsets = null;
            Set<String> seen = new HashSet<>();
            json.beginObject();
            while (json.hasNext()) {
                String field = name();
                requireOnce(seen, field, currentName + ": " + field);
                switch (field) {
                    case "dtype" -> dtype = dtype();
                    case "shape" -> shape = new Shape(integers());
                    case "data_offsets" -> offsets = integers();
                    default -> json.skipValue();
                }
            }
            json.endObject();
            if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
                throw invalid(file,
                        SafeText.of(currentName) + ": expected dtype, shape and data_offsets (two integers)");
            }
            return new TensorEntry(dtype, shape, offsets[0], offsets[1]);
        }

        private DType dtype() throws Failure, IOException {
            if (json.peek() != JsonToken.STRING) throw new IllegalStateException("dtype is " + json.peek());
            String dtype = json.nextString();
            for (DType known : DType.values()) {
                if (known.name().equals(dtype)) return known;
            }
            throw invalid(file, SafeText.of(currentName) + ": element type " + SafeText.of(dtype)
                    + " is not supported; expected F32, F16, BF16, F64 or integers");
        }

        private long[] integers() throws IOException {
            List<Long> integers = new ArrayList<>();
            json.beginArray();
            while (json.hasNext()) {
                if (json.peek() != JsonToken.NUMBER)
                    throw new IllegalStateException("expected an integer, found " + json.peek());
                String digits = json.nextString();
                if (digits.startsWith("-"))
                    throw new IllegalStateException("a size or offset is negative: " + SafeText.of(digits));
                if (!digits.chars().allMatch(c -> c >= '0' && c <= '9'))
                    throw new IllegalStateException("expected an integer, found " + SafeText.of(digits));
                if (digits.length() > MAX_DIGITS)
                    throw new IllegalStateException("exceeds any file size: " + SafeText.of(digits));
                integers.add(Long.parseLong(digits));
            }
            json.endArray();
            return integers.stream().mapToLong(Long::longValue).toArray();
        }

        private String name() throws IOException {
            return requireValidUnicode(json.nextName());
        }

        /// The JSON parser accepts unpaired surrogates, which UTF-8 cannot encode.
        private static String requireValidUnicode(String string) throws IOException {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(string))
                throw new MalformedJsonException("unpaired surrogate in " + SafeText.of(string));
            return string;
        }
    }

    /// The tensors in byte order. Together they must cover the whole data section without gaps or overlaps.
    private static Map<String, TensorInfo> checkedTensors(Path file, Map<String, TensorEntry> entries, long dataOffset,
            long size) throws Failure {
        List<Map.Entry<String, TensorEntry>> ordered = new ArrayList<>(entries.entrySet());
        ordered.sort(Comparator.comparingLong((Map.Entry<String, TensorEntry> entry) -> entry.getValue().begin())
                .thenComparingLong(entry -> entry.getValue().end()));
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        long end = 0;
        String previous = "";
        for (Map.Entry<String, TensorEntry> entry : ordered) {
            TensorEntry tensor = entry.getValue();
            String name = SafeText.of(entry.getKey());
            long byteLength = checkedByteLength(file, name, tensor);
            if (tensor.begin < end) throw invalid(file, SafeText.of(previous) + " and " + name + " overlap");
            if (tensor.begin > end)
                throw invalid(file, "is damaged: " + (tensor.begin - end) + " bytes before " + name
                        + " belong to no tensor; download or copy it again");
            if (tensor.end > size - dataOffset) {
                throw invalid(file, "is truncated: " + name + " should end at byte " + (dataOffset + tensor.end)
                        + ", the file has " + size + "; download or copy it again");
            }
            tensors.put(entry.getKey(),
                    new TensorInfo(entry.getKey(), tensor.dtype, tensor.shape, dataOffset + tensor.begin, byteLength));
            end = tensor.end;
            previous = entry.getKey();
        }
        if (dataOffset + end != size)
            throw invalid(file, "is damaged: " + (size - dataOffset - end)
                    + " bytes after its last tensor belong to no tensor; download or copy it again");
        return tensors;
    }

    private static long checkedByteLength(Path file, String name, TensorEntry tensor) throws Failure {
        long bits;
        try {
            bits = Math.multiplyExact(tensor.shape.elements(), tensor.dtype.bits());
        } catch (ArithmeticException e) {
            throw new Failure.Unreadable(file + ": " + name + ": expected dtype, shape and data_offsets ("
                    + SafeText.of(tensor.shape) + " is larger than any file)", e);
        }
        if (bits % 8 != 0 || tensor.end < tensor.begin || tensor.end - tensor.begin != bits / 8) {
            throw invalid(file, name + ": " + tensor.dtype + " " + SafeText.of(tensor.shape) + " needs "
                    + (bits + 7) / 8 + " bytes, but its offsets are " + tensor.begin + " to " + tensor.end);
        }
        return bits / 8;
    }

    private static String firstLine(Throwable e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
    }

    private static Failure.Unreadable invalid(Path file, String what) {
        return new Failure.Unreadable(file + ": " + what);
    }
}
