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

/// Description of a file or folder: facts for text and JSON output, and problems.
/// @param facts in the order of the text output
public record Inspection(JsonObject facts, List<String> problems) {
    static final String ADAPTERS = "adapters in it";
    static final String IMAGE_KIND = "image";

    /// In JSON.
    private static final String EARLIER_IMAGE_KIND = "picture";
    private static final int MAX_LIST_ITEMS = 12;
    /// By today's JSON key.
    private static final Map<String, String> EARLIER_KEYS = Map.of("trainable parameters", "numbers tuned",
            "parameters", "numbers", "photos", "pictures", "image size", "picture size", "learning rate", "rate",
            "batch size", "batch", "weight", "strength", "text encoder weight", "text encoder strength");
    private static final Pattern TENSOR_FILE_NAME = Pattern.compile(".*\\.(?:safetensors|sft|ckpt|pt|pth|bin)");

    /// @throws Failure.Unreadable if its kind is unknown
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
                + ": expected a model folder (model_index.json), a component of one (config.json), a run (run.json), "
                + "a tensor file (.safetensors, .ckpt, .pt) or an image, found "
                + (Files.isDirectory(path) ? "a folder with none of them" : "nothing"));
    }

    /// A tensor file starts with a length whose bytes may equal an image signature, so its name decides.
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

    static Inspection of(JsonObject facts) {
        return new Inspection(facts, List.of());
    }

    /// The facts with the keys of earlier versions beside today's.
    public JsonObject json() {
        JsonObject json = facts.deepCopy();
        if (json.get("kind").equals(new JsonPrimitive(IMAGE_KIND))) json.addProperty("kind", EARLIER_IMAGE_KIND);
        addEarlierKeys(json);
        if (json.get(ADAPTERS) instanceof JsonObject adapters)
            adapters.asMap().values().forEach(adapter -> addEarlierKeys(adapter.getAsJsonObject()));
        return json;
    }

    private static void addEarlierKeys(JsonObject json) {
        EARLIER_KEYS.forEach((key, earlier) -> {
            if (json.has(key) && !json.has(earlier)) json.add(earlier, json.get(key));
        });
    }

    /// The facts as aligned lines; long lists are cut with a note.
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        appendLines(facts, "", lines);
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
