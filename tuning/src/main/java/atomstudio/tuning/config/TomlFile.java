package atomstudio.tuning.config;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/// A TOML file: keys with their values and lines.
record TomlFile(Path file, List<Entry> entries) {
    private static final long MAX_BYTES = 1 << 20;

    /// @param source the file and the line, for messages
    /// @param value  a table is an object; dates are text
    /// @param nested the entries of a table
    record Entry(String source, String key, JsonElement value, List<Entry> nested) {
        /// The value as the only one of an object.
        Json json() {
            JsonObject object = new JsonObject();
            object.add(key, value);
            return new Json(source, object);
        }

        Failure.Unreadable invalid(String expected, Object found) {
            return new Failure.Unreadable(
                    source + ": " + SafeText.of(key) + ": expected " + expected + ", found " + SafeText.of(found));
        }
    }

    /// @throws Failure.Unreadable with the line of the first error
    static TomlFile read(Path file) throws Failure.Unreadable {
        if (!Files.isRegularFile(file))
            throw new Failure.Unreadable(
                    file + ": expected a TOML file, found " + (Files.exists(file) ? "no regular file" : "nothing"));
        try {
            if (Files.size(file) > MAX_BYTES)
                throw new Failure.Unreadable(
                        file + ": expected at most " + MAX_BYTES + " bytes of TOML, found " + Files.size(file));
            TomlParseResult parsed = Toml.parse(Files.readString(file, StandardCharsets.UTF_8));
            if (parsed.hasErrors()) {
                TomlParseError error = parsed.errors().getFirst();
                throw new Failure.Unreadable(
                        file + ", line " + error.position().line() + ": " + SafeText.of(error.getMessage()));
            }
            return new TomlFile(file, entries(file, parsed, List.of(), parsed));
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read as text: " + e.getMessage(), e);
        }
    }

    /// @param path of the table within the file
    private static List<Entry> entries(Path file, TomlTable root, List<String> path, TomlTable table) {
        List<Entry> entries = new ArrayList<>();
        for (String key : table.keySet()) {
            List<String> keyPath = new ArrayList<>(path);
            keyPath.add(key);
            TomlPosition position = root.inputPositionOf(keyPath);
            Object value = table.get(List.of(key));
            entries.add(new Entry(file + (position == null ? "" : ", line " + position.line()), key, json(value),
                    value instanceof TomlTable nested ? entries(file, root, keyPath, nested) : List.of()));
        }
        return List.copyOf(entries);
    }

    private static JsonElement json(Object value) {
        return switch (value) {
            case TomlTable table -> {
                JsonObject object = new JsonObject();
                table.keySet().forEach(key -> object.add(key, json(table.get(List.of(key)))));
                yield object;
            }
            case TomlArray list -> {
                JsonArray array = new JsonArray();
                list.toList().forEach(element -> array.add(json(element)));
                yield array;
            }
            case Number number -> new JsonPrimitive(number);
            case Boolean flag -> new JsonPrimitive(flag);
            default -> new JsonPrimitive(value.toString());
        };
    }
}
