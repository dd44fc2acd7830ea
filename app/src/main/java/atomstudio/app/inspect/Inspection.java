package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFormat;
import atomstudio.diffusion.model.TensorFileKind;
import atomstudio.diffusion.tensor.TensorFile;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// What was found out about a file or folder: facts, for people and programs alike, and what is wrong with it.
public record Inspection(JsonObject json, List<String> problems) {
    private static final int MAX_LIST_ITEMS = 12;
    private static final Pattern TENSOR_FILE_NAME = Pattern.compile(".*\\.(?:safetensors|sft|ckpt|pt|pth|bin)");

    /// @throws Failure.Unreadable when it is nothing that is known here
    public static Inspection of(Path path) throws Failure {
        if (Files.isRegularFile(path.resolve("run.json"))) return RunInspection.of(path);
        if (Files.isRegularFile(path.resolve("model_index.json"))) return ModelInspection.of(path);
        if (Files.isRegularFile(path.resolve("config.json")))
            return ModelInspection.ofConfig(path.resolve("config.json"));
        if (Files.isRegularFile(path)) {
            String name = path.toAbsolutePath().getFileName().toString().toLowerCase(Locale.ROOT);
            if (name.equals("model_index.json")) return ModelInspection.of(path);
            if (name.endsWith(".json")) return ModelInspection.ofConfig(path);
            if (isImage(path, name)) return ImageInspection.of(path);
            return ofTensors(path);
        }
        throw new Failure.Unreadable(path
                + ": expected a model folder (model_index.json), a part of one (config.json), a run (run.json), a file of tensors (.safetensors, .ckpt, .pt) or an image, found "
                + (Files.isDirectory(path) ? "a folder with none of them" : "nothing"));
    }

    /// The length that a file of tensors begins with may read like the first letters of an image, so that its name
    /// decides.
    private static boolean isImage(Path path, String name) throws Failure {
        return ImageFiles.hasImageExtension(path)
                || !TENSOR_FILE_NAME.matcher(name).matches() && ImageFormat.detect(path).isPresent();
    }

    private static Inspection ofTensors(Path path) throws Failure {
        TensorFileKind kind;
        try (TensorFile file = TensorFile.open(path)) {
            kind = TensorFileKind.detect(file);
        }
        return kind == TensorFileKind.MODEL ? ModelInspection.of(path) : TensorFileInspection.of(path);
    }

    static Inspection of(JsonObject json) {
        return new Inspection(json, List.of());
    }

    /// The facts as aligned lines; long lists are cut, saying so.
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        appendLines(json, "", lines);
        return lines;
    }

    private static void appendLines(JsonObject object, String indent, List<String> lines) {
        int width = object.keySet().stream().mapToInt(String::length).max().orElse(0);
        for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
            String label = indent + entry.getKey();
            switch (entry.getValue()) {
                case JsonObject nested -> {
                    lines.add(label);
                    appendLines(nested, indent + "  ", lines);
                }
                case JsonPrimitive value -> lines
                        .add(label + " ".repeat(indent.length() + width + 2 - label.length()) + formatValue(value));
                default -> appendList(label, entry.getValue(), indent, lines);
            }
        }
    }

    private static void appendList(String label, JsonElement value, String indent, List<String> lines) {
        if (!value.isJsonArray()) return;
        lines.add(label + " (" + value.getAsJsonArray().size() + ")");
        int shown = 0;
        for (JsonElement element : value.getAsJsonArray()) {
            if (shown++ == MAX_LIST_ITEMS) {
                lines.add(indent + "  … and " + (value.getAsJsonArray().size() - MAX_LIST_ITEMS)
                        + " more; --json lists all");
                return;
            }
            lines.add(
                    indent + "  " + (element.isJsonPrimitive() ? formatValue(element.getAsJsonPrimitive()) : element));
        }
    }

    private static String formatValue(JsonPrimitive value) {
        if (!value.isNumber()) return value.getAsString();
        double number = value.getAsDouble();
        return number == Math.rint(number) && Math.abs(number) < 1e15
                ? String.format(Locale.ROOT, "%,d", value.getAsLong())
                : value.getAsString();
    }
}
