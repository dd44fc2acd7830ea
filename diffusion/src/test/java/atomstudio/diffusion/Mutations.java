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

/// Fuzzes file readers: mutates a file from a fixed seed and checks that reading it returns or throws a [Failure],
/// within a time limit.
public final class Mutations {
    private static final long MAX_SECONDS = 10;
    /// Unexpected JSON values.
    private static final List<String> UNEXPECTED = List.of("null", "true", "{}", "[]", "[[]]", "[null]", "[1,2]",
            "{\"content\":7}", "\"\"", "\"\\u0000\"", "\"../../x\"", "\"NaN\"", "\"\\u001b[2J\"", "0", "-1", "1", "2",
            "0.5", "16777216", "2147483647",
            "4294967298", "9223372036854775807", "1e99", "-1e400", "1e-400", "123456789012345678901234567890",
            "\"" + "x".repeat(300) + "\"");

    private final Random random;

    public Mutations(long seed) {
        random = new Random(seed);
    }

    /// Reads the mutated file.
    @FunctionalInterface
    public interface Reader {
        void read() throws Failure, IOException;
    }

    /// Mutates the file `times` times, reads each mutation, and restores the file.
    /// @return how many mutations were rejected
    public int run(Path file, int times, Reader reader) throws IOException {
        byte[] original = Files.readAllBytes(file);
        int rejected = 0;
        try {
            for (int i = 0; i < times; i++) {
                byte[] changed = mutate(file, original);
                Files.write(file, changed);
                if (isRejected(file, changed, reader)) rejected++;
            }
        } finally {
            Files.write(file, original);
        }
        return rejected;
    }

    private static boolean isRejected(Path file, byte[] changed, Reader reader) throws IOException {
        long start = System.nanoTime();
        try {
            reader.read();
            return false;
        } catch (Failure failure) {
            assertTrue(failure.getMessage().length() < 20_000,
                    "a message of " + failure.getMessage().length() + " characters");
            assertTrue(
                    failure.getMessage()
                            .codePoints()
                            .noneMatch(code -> Character.isISOControl(code) && code != '\n' && code != '\t'),
                    failure.getMessage());
            return true;
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError unexpected) {
            Path saved = Files.write(Files.createTempFile("mutation-", "-" + file.getFileName()), changed);
            return fail(file + ": " + unexpected + "; the mutation is saved as " + saved, unexpected);
        } finally {
            double seconds = (System.nanoTime() - start) / 1e9;
            if (seconds > MAX_SECONDS) fail(file + ": took " + seconds + " s");
        }
    }

    private byte[] mutate(Path file, byte[] original) {
        String name = file.getFileName().toString();
        if (random.nextInt(4) == 0) return bytes(original);
        if (name.endsWith(".json")) return json(original);
        if (name.endsWith(".jsonl")) return line(original);
        if (name.endsWith(".safetensors")) return random.nextInt(5) == 0 ? bytes(original) : header(original);
        return bytes(original);
    }

    /// Overwrites, truncates or duplicates bytes, often near the start or the end, where headers and pickles are.
    private byte[] bytes(byte[] original) {
        byte[] changed = original.clone();
        if (changed.length == 0) return changed;
        switch (random.nextInt(4)) {
            case 0 -> {
                return Arrays.copyOf(changed, random.nextInt(changed.length));
            }
            case 1 -> {
                int index = position(changed.length), length = Math.min(changed.length - index, 1 + random.nextInt(16));
                ByteBuffer duplicated = ByteBuffer.allocate(changed.length + length);
                return duplicated.put(changed, 0, index + length).put(changed, index, changed.length - index).array();
            }
            default -> {
                for (int k = random.nextInt(4); k >= 0; k--)
                    changed[position(changed.length)] = (byte) random.nextInt();
                return changed;
            }
        }
    }

    private int position(int length) {
        int near = Math.min(length, 4096);
        return switch (random.nextInt(3)) {
            case 0 -> random.nextInt(length);
            case 1 -> length - 1 - random.nextInt(near);
            default -> random.nextInt(near);
        };
    }

    private byte[] json(byte[] original) {
        JsonElement json = JsonParser.parseString(new String(original, StandardCharsets.UTF_8));
        for (int k = random.nextInt(2); k >= 0; k--) json = mutate(json);
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private byte[] line(byte[] original) {
        List<String> lines = new ArrayList<>(new String(original, StandardCharsets.UTF_8).lines().toList());
        int index = random.nextInt(lines.size());
        lines.set(index, new String(json(lines.get(index).getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8));
        return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Mutates the header and keeps the tensors; metadata values that are JSON are mutated inside.
    private byte[] header(byte[] original) {
        int length = (int) ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getLong();
        JsonObject json = JsonParser.parseString(new String(original, 8, length, StandardCharsets.UTF_8))
                .getAsJsonObject();
        JsonElement changed = json.has("__metadata__") && random.nextInt(2) == 0 ? metadata(json) : mutate(json);
        byte[] header = changed.toString().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + header.length + original.length - 8 - length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(original, 8 + length, original.length - 8 - length)
                .array();
    }

    private JsonObject metadata(JsonObject header) {
        JsonObject metadata = header.getAsJsonObject("__metadata__");
        List<String> keys = List.copyOf(metadata.keySet());
        if (keys.isEmpty()) return header;
        String key = keys.get(random.nextInt(keys.size()));
        String value = metadata.get(key).getAsString();
        boolean isJson = value.startsWith("{") || value.startsWith("[");
        if (random.nextInt(6) == 0) metadata.remove(key);
        else
            if (isJson && random.nextInt(4) > 0)
                metadata.addProperty(key, mutate(JsonParser.parseString(value)).toString());
            else
                metadata.addProperty(key, unexpected().toString().replace("\"", ""));
        return header;
    }

    /// Replaces or removes one value anywhere in it.
    private JsonElement mutate(JsonElement json) {
        return switch (json) {
            case JsonObject object when !object.isEmpty() && random.nextInt(12) > 0 -> {
                String key = List.copyOf(object.keySet()).get(random.nextInt(object.size()));
                if (random.nextInt(10) == 0) object.remove(key);
                else if (random.nextInt(25) == 0) object.add(key + "\u0000\u001b", object.remove(key));
                else object.add(key, mutate(object.get(key)));
                yield object;
            }
            case JsonArray array when !array.isEmpty() && random.nextInt(4) > 0 -> {
                int index = random.nextInt(array.size());
                if (random.nextInt(8) == 0) array.remove(index);
                else array.set(index, mutate(array.get(index)));
                yield array;
            }
            case JsonPrimitive number when number.isNumber() && random.nextInt(3) == 0 ->
                    new JsonPrimitive(number.getAsDouble() * (random.nextInt(5) - 2));
            default -> unexpected();
        };
    }

    private JsonElement unexpected() {
        return JsonParser.parseString(UNEXPECTED.get(random.nextInt(UNEXPECTED.size())));
    }
}
