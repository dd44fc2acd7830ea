package atomstudio.app.gallery;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the program itself records in an image, as JSON in the PNG text `atomstudio`. Empty strings: not known or none.
/// @param order identifies the order the image was made with: equal orders give equal images
/// @param baseOrder the order of the base model's image of the same prompt and seed
/// @param subject name of the subject's folder
/// @param run name of the run's folder
public record ImageTags(String order, String baseOrder, String subject, String run) {
    /// Of an image from elsewhere.
    public static final ImageTags NONE = new ImageTags("", "", "", "");

    static final String PNG_KEYWORD = "atomstudio";

    String toJson(Instant created) {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("created", created.toString());
        json.addProperty("order", order);
        json.addProperty("base", baseOrder);
        if (!subject.isEmpty()) json.addProperty("subject", subject);
        if (!run.isEmpty()) json.addProperty("run", run);
        return json.toString();
    }

    /// @param created empty if it is not recorded
    record Parsed(ImageTags tags, Optional<Instant> created) {}

    /// A text that is missing or was changed by another program gives empty tags.
    static Parsed parse(@Nullable String text) {
        try {
            if (text == null) return new Parsed(NONE, Optional.empty());
            JsonObject json = JsonParser.parseString(text).getAsJsonObject();
            return new Parsed(new ImageTags(string(json, "order"), string(json, "base"), string(json, "subject"),
                    string(json, "run")), Optional.of(Instant.parse(string(json, "created"))));
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException
                | DateTimeParseException edited) {
            return new Parsed(NONE, Optional.empty());
        }
    }

    private static String string(JsonObject json, String key) {
        return json.has(key) ? json.get(key).getAsString() : "";
    }
}
