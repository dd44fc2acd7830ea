package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.tuning.measure.ClipScores;
import com.google.gson.JsonDeserializationContext;
import com.google.gson.JsonDeserializer;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializationContext;
import com.google.gson.JsonSerializer;
import java.lang.reflect.Type;
import java.util.Optional;
import java.util.OptionalDouble;

/// A row as `compare.json` has it: flat, and a measure that is absent is null.
final class RowJsonAdapter implements JsonSerializer<ComparisonRow>, JsonDeserializer<ComparisonRow> {
    @Override public JsonElement serialize(ComparisonRow row, Type type, JsonSerializationContext context) {
        JsonObject json = new JsonObject();
        json.addProperty("name", row.name());
        json.addProperty("run", row.run());
        json.addProperty("numbers", row.parameterCount());
        json.addProperty("bytes", row.bytes());
        json.addProperty("seconds", row.seconds());
        Optional<ClipScores> metrics = row.metrics();
        json.addProperty("encoder", metrics.map(ClipScores::encoder).orElse(null));
        json.add("likeness", numberOrNull(metrics.map(ClipScores::likeness)));
        json.add("diversity", numberOrNull(metrics.map(ClipScores::diversity)));
        json.add("alignment", numberOrNull(metrics.map(ClipScores::alignment)));
        return json;
    }

    private static JsonElement numberOrNull(Optional<OptionalDouble> metric) {
        return metric.isPresent() && metric.get().isPresent() ? new JsonPrimitive(metric.get().getAsDouble()) : JsonNull.INSTANCE;
    }

    @Override public ComparisonRow deserialize(JsonElement element, Type type, JsonDeserializationContext context) {
        JsonObject json = element.getAsJsonObject();
        Optional<ClipScores> metrics = isPresent(json, "encoder")
                ? Optional.of(new ClipScores(json.get("encoder").getAsString(), metric(json, "likeness"), metric(json, "diversity"), metric(json, "alignment"))) : Optional.empty();
        return new ComparisonRow(json.get("name").getAsString(), isPresent(json, "run") ? json.get("run").getAsString() : null,
                json.get("numbers").getAsLong(), json.get("bytes").getAsLong(), json.get("seconds").getAsDouble(), metrics);
    }

    private static OptionalDouble metric(JsonObject json, String key) {
        return isPresent(json, key) ? OptionalDouble.of(json.get(key).getAsDouble()) : OptionalDouble.empty();
    }

    /// Comparisons of older versions have no measures.
    private static boolean isPresent(JsonObject json, String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }
}
