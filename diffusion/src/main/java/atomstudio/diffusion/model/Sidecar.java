package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Configuration of a single-file model NAME.safetensors from, in order of increasing precedence: the metadata string
/// `config`; NAME.json; a folder NAME with diffusers' configurations (`unet/config.json` …). The first two are objects
/// keyed by component folder; values that are not objects are ignored, since other programs store their own data in
/// NAME.json. Of NAME.yaml, the original code's configuration, only the parameterization is used.
record Sidecar(Path file, JsonObject json) {
    private static final long MAX_YAML_BYTES = 1L << 20;
    /// Possessive and within a line: backtracking over a file of blanks would take hours.
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

    /// Metadata that is not a JSON object is ignored.
    private static JsonObject parseMetadata(String text) {
        try {
            return Json.parse("metadata config", text).object();
        } catch (Failure e) {
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

    /// The path of the same name with another extension.
    static Path sibling(Path file, String suffix) {
        String name = file.toAbsolutePath().getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.toAbsolutePath().resolveSibling((dot < 1 ? name + ".d" : name.substring(0, dot)) + suffix);
    }

    /// A component's inferred configuration, overridden by this sidecar.
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

    /// The UNet's parameterization in NAME.yaml: `eps`, `v` or `x0`.
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
