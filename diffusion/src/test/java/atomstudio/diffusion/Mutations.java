package atomstudio.diffusion;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Changes files a little, always in the same ways, and checks that their readers answer with a [Failure] or a
/// result, and soon.
public final class Mutations {
    private static final long LONGEST_SECONDS = 10;
    /// Values that stand where something else is expected.
    private static final List<String> STRANGE = List.of("null", "true", "{}", "[]", "[[]]", "[null]", "[1,2]",
            "{\"content\":7}", "\"\"", "\"\\u0000\"", "\"../../x\"", "\"NaN\"", "\"\\u001b[2J\"", "0", "-1", "1", "2",
            "0.5", "16777216", "2147483647",
            "4294967298", "9223372036854775807", "1e99", "-1e400", "1e-400", "123456789012345678901234567890",
            "\"" + "x".repeat(300) + "\"");

    private final Random random;

    public Mutations(long seed) {
        random = new Random(seed);
    }

    /// Reads a file in whatever way it is read.
    @FunctionalInterface
    public interface Reader {
        void read() throws Failure, IOException;
    }

    /// Changes a file so many times, reads each change, and puts the file back.
    /// @return how often it was refused
    public int run(Path file, int times, Reader reader) throws IOException {
        byte[] whole = Files.readAllBytes(file);
        int refused = 0;
        try {
            for (int i = 0; i < times; i++) {
                byte[] changed = changed(file, whole);
                Files.write(file, changed);
                if (refuses(file, changed, reader)) refused++;
            }
        } finally {
            Files.write(file, whole);
        }
        return refused;
    }

    private static boolean refuses(Path file, byte[] changed, Reader reader) throws IOException {
        long start = System.nanoTime();
        try {
            reader.read();
            return false;
        } catch (Failure named) {
            assertTrue(named.getMessage().length() < 20_000,
                    "a message of " + named.getMessage().length() + " letters");
            assertTrue(
                    named.getMessage()
                            .codePoints()
                            .noneMatch(code -> Character.isISOControl(code) && code != '\n' && code != '\t'),
                    named.getMessage());
            return true;
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError unexpected) {
            Path kept = Files.write(Files.createTempFile("mutation-", "-" + file.getFileName()), changed);
            return fail(file + ": " + unexpected + "; the change is kept as " + kept, unexpected);
        } finally {
            double seconds = (System.nanoTime() - start) / 1e9;
            if (seconds > LONGEST_SECONDS) fail(file + ": took " + seconds + " s");
        }
    }

    private byte[] changed(Path file, byte[] whole) {
        String name = file.getFileName().toString();
        boolean lines = name.endsWith(".jsonl");
        if (random.nextInt(4) == 0) return bytes(whole);
        if (name.endsWith(".json")) return json(whole);
        if (lines) return line(whole);
        if (name.endsWith(".safetensors")) return random.nextInt(5) == 0 ? bytes(whole) : header(whole);
        return bytes(whole);
    }

    /// Bytes that are others, missing, or twice; pickles and headers stand at the beginning or the end.
    private byte[] bytes(byte[] whole) {
        byte[] changed = whole.clone();
        if (changed.length == 0) return changed;
        switch (random.nextInt(4)) {
            case 0 -> {
                return Arrays.copyOf(changed, random.nextInt(changed.length));
            }
            case 1 -> {
                int at = place(changed.length), length = Math.min(changed.length - at, 1 + random.nextInt(16));
                ByteBuffer twice = ByteBuffer.allocate(changed.length + length);
                return twice.put(changed, 0, at + length).put(changed, at, changed.length - at).array();
            }
            default -> {
                for (int k = random.nextInt(4); k >= 0; k--) changed[place(changed.length)] = (byte) random.nextInt();
                return changed;
            }
        }
    }

    private int place(int length) {
        int near = Math.min(length, 4096);
        return switch (random.nextInt(3)) {
            case 0 -> random.nextInt(length);
            case 1 -> length - 1 - random.nextInt(near);
            default -> random.nextInt(near);
        };
    }

    private byte[] json(byte[] whole) {
        JsonElement json = JsonParser.parseString(new String(whole, StandardCharsets.UTF_8));
        for (int k = random.nextInt(2); k >= 0; k--) json = changed(json);
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private byte[] line(byte[] whole) {
        List<String> lines = new ArrayList<>(new String(whole, StandardCharsets.UTF_8).lines().toList());
        int at = random.nextInt(lines.size());
        lines.set(at, new String(json(lines.get(at).getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8));
        return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// The header with other values, before the same tensors; metadata that are JSON themselves are changed within.
    private byte[] header(byte[] whole) {
        int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        JsonObject json = JsonParser.parseString(new String(whole, 8, length, StandardCharsets.UTF_8))
                .getAsJsonObject();
        JsonElement changed = json.has("__metadata__") && random.nextInt(2) == 0 ? metadata(json) : changed(json);
        byte[] header = changed.toString().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + header.length + whole.length - 8 - length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(whole, 8 + length, whole.length - 8 - length)
                .array();
    }

    private JsonObject metadata(JsonObject header) {
        JsonObject metadata = header.getAsJsonObject("__metadata__");
        List<String> keys = List.copyOf(metadata.keySet());
        if (keys.isEmpty()) return header;
        String key = keys.get(random.nextInt(keys.size()));
        String value = metadata.get(key).getAsString();
        boolean inner = value.startsWith("{") || value.startsWith("[");
        if (random.nextInt(6) == 0) metadata.remove(key);
        else
            if (inner && random.nextInt(4) > 0)
                metadata.addProperty(key, changed(JsonParser.parseString(value)).toString());
            else
                metadata.addProperty(key, strange().toString().replace("\"", ""));
        return header;
    }

    /// One value anywhere in it is another, or missing.
    private JsonElement changed(JsonElement json) {
        return switch (json) {
            case JsonObject object when !object.isEmpty() && random.nextInt(12) > 0 -> {
                String key = List.copyOf(object.keySet()).get(random.nextInt(object.size()));
                if (random.nextInt(10) == 0) object.remove(key);
                else if (random.nextInt(25) == 0) object.add(key + "\u0000\u001b", object.remove(key));
                else object.add(key, changed(object.get(key)));
                yield object;
            }
            case JsonArray array when !array.isEmpty() && random.nextInt(4) > 0 -> {
                int at = random.nextInt(array.size());
                if (random.nextInt(8) == 0) array.remove(at);
                else array.set(at, changed(array.get(at)));
                yield array;
            }
            case JsonPrimitive number when number.isNumber() && random.nextInt(3) == 0 ->
                    new JsonPrimitive(number.getAsDouble() * (random.nextInt(5) - 2));
            default -> strange();
        };
    }

    private JsonElement strange() {
        return JsonParser.parseString(STRANGE.get(random.nextInt(STRANGE.size())));
    }
}
