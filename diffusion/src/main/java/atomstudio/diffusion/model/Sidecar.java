package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What is written beside a single file about its model, for NAME.safetensors, later ones winning: the metadata
/// string `config`; NAME.json; a folder NAME with diffusers' configurations (`unet/config.json` …). The first two are
/// objects whose keys are the folders' names; other programs keep notes of their own in NAME.json, so that a key of a
/// folder's name without an object under it says nothing. NAME.yaml, the original code's configuration, says only
/// whether the UNet predicts v.
record Sidecar(Path file, JsonObject json) {
    private static final long MAX_YAML_BYTES = 1L << 20;
    /// Within a line, and without going back: a file of blanks alone would take hours otherwise.
    private static final Pattern PARAMETERIZATION = Pattern
            .compile("(?m)^[ \\t]*+parameterization[ \\t]*+:[ \\t]*+[\"']?(\\w++)");

    static Sidecar of(Path file, Map<String, String> metadata) throws Failure {
        JsonObject json = new JsonObject();
        String embedded = metadata.get("config");
        if (embedded != null) merge(json, parseMetadata(embedded));
        Path jsonFile = sibling(file, ".json");
        if (Files.isRegularFile(jsonFile)) merge(json, ModelConfig.read(jsonFile).json());
        for (String component : new String[] {"unet", "vae", "text_encoder", "scheduler"}) {
            Path config = sibling(file, "").resolve(component)
                    .resolve(component.equals("scheduler") ? "scheduler_config.json" : "config.json");
            if (Files.isRegularFile(config)) {
                JsonObject nested = new JsonObject();
                nested.add(component, ModelConfig.read(config).json());
                merge(json, nested);
            }
        }
        return new Sidecar(file, json);
    }

    /// Metadata is anybody's: what is no JSON object says nothing.
    private static JsonObject parseMetadata(String text) {
        try {
            JsonElement parsed = JsonParser.parseString(text);
            return parsed.isJsonObject() ? parsed.getAsJsonObject() : new JsonObject();
        } catch (JsonParseException | StackOverflowError e) {
            return new JsonObject();
        }
    }

    private static void merge(JsonObject into, JsonObject from) {
        for (Map.Entry<String, JsonElement> entry : from.entrySet()) {
            if (entry.getValue().isJsonObject() && into.has(entry.getKey())
                    && into.get(entry.getKey()).isJsonObject()) {
                merge(into.getAsJsonObject(entry.getKey()), entry.getValue().getAsJsonObject());
            } else {
                into.add(entry.getKey(), entry.getValue().deepCopy());
            }
        }
    }

    /// The file of the same name with another ending.
    static Path sibling(Path file, String suffix) {
        String name = file.toAbsolutePath().getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.toAbsolutePath().resolveSibling((dot < 1 ? name + ".d" : name.substring(0, dot)) + suffix);
    }

    /// A part's configuration: what its tensors tell, and over it what is written here.
    ModelConfig mergedConfig(String component, JsonObject inferred) throws Failure {
        JsonObject merged = inferred.deepCopy();
        merge(merged, section(component).json());
        return new ModelConfig(file, merged);
    }

    private ModelConfig section(String component) throws Failure {
        boolean isDeclared = json.has(component) && json.get(component).isJsonObject();
        return isDeclared ? new ModelConfig(file, json).section(component) : new ModelConfig(file, new JsonObject());
    }

    Optional<String> string(String component, String key) throws Failure {
        ModelConfig config = section(component);
        return config.has(key) ? Optional.of(config.string(key, "")) : Optional.empty();
    }

    /// What the original code's configuration says that the UNet predicts: `eps`, `v` or `x0`.
    Optional<String> parameterization() throws Failure {
        Path yaml = sibling(file, ".yaml");
        if (!Files.isRegularFile(yaml)) return Optional.empty();
        try {
            if (Files.size(yaml) > MAX_YAML_BYTES)
                throw new Failure.Unreadable(yaml + ": expected a configuration, found " + Files.size(yaml) + " bytes");
            Matcher matcher = PARAMETERIZATION.matcher(new String(Files.readAllBytes(yaml), StandardCharsets.UTF_8));
            return Optional.of(matcher.find() ? matcher.group(1).toLowerCase(Locale.ROOT) : "eps");
        } catch (IOException e) {
            throw new Failure.Unreadable(yaml + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
