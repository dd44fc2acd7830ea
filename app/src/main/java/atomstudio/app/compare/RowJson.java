package atomstudio.app.compare;

import atomstudio.app.compare.Comparison.Row;
import atomstudio.tuning.measure.Measures;
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
final class RowJson implements JsonSerializer<Row>, JsonDeserializer<Row> {
    @Override public JsonElement serialize(Row row, Type type, JsonSerializationContext context) {
        JsonObject json = new JsonObject();
        json.addProperty("name", row.name());
        json.addProperty("run", row.run());
        json.addProperty("numbers", row.numbers());
        json.addProperty("bytes", row.bytes());
        json.addProperty("seconds", row.seconds());
        Optional<Measures> measures = row.measures();
        json.addProperty("encoder", measures.map(Measures::encoder).orElse(null));
        json.add("likeness", number(measures.map(Measures::likeness)));
        json.add("diversity", number(measures.map(Measures::diversity)));
        json.add("alignment", number(measures.map(Measures::alignment)));
        return json;
    }

    private static JsonElement number(Optional<OptionalDouble> measure) {
        return measure.isPresent() && measure.get().isPresent() ? new JsonPrimitive(measure.get().getAsDouble()) : JsonNull.INSTANCE;
    }

    @Override public Row deserialize(JsonElement element, Type type, JsonDeserializationContext context) {
        JsonObject json = element.getAsJsonObject();
        Optional<Measures> measures = present(json, "encoder")
                ? Optional.of(new Measures(json.get("encoder").getAsString(), measure(json, "likeness"), measure(json, "diversity"), measure(json, "alignment"))) : Optional.empty();
        return new Row(json.get("name").getAsString(), present(json, "run") ? json.get("run").getAsString() : null,
                json.get("numbers").getAsLong(), json.get("bytes").getAsLong(), json.get("seconds").getAsDouble(), measures);
    }

    private static OptionalDouble measure(JsonObject json, String key) {
        return present(json, key) ? OptionalDouble.of(json.get(key).getAsDouble()) : OptionalDouble.empty();
    }

    /// Comparisons of older versions have no measures.
    private static boolean present(JsonObject json, String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }
}
