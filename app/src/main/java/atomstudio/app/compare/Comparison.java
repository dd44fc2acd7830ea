package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonDeserializationContext;
import com.google.gson.JsonDeserializer;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializationContext;
import com.google.gson.JsonSerializer;
import com.google.gson.annotations.SerializedName;
import java.io.IOException;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// A comparison: rows with equal prompts and seeds. Stored as `compare.json`.
/// @param model   the model folder
/// @param token   the trigger word
/// @param prompts with `{}` for the subject
/// @param captions above the columns of an X/Y grid, one for each prompt; empty: the prompts
public record Comparison(String model, @SerializedName("class") String className, String token, List<String> prompts,
        List<Long> seeds, List<ComparisonRow> rows, List<String> captions) {
    public static final String FILE = "compare.json";
    /// Name of the base model's row.
    public static final String BASE = "base";

    private static final String PLACEHOLDER = "{}";
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting()
            .serializeNulls()
            .disableHtmlEscaping()
            .setFieldNamingPolicy(FieldNamingPolicy.IDENTITY)
            .registerTypeAdapter(ComparisonRow.class, new RowJsonAdapter())
            .create();

    public Comparison {
        prompts = List.copyOf(prompts);
        seeds = List.copyOf(seeds);
        rows = List.copyOf(rows);
        captions = captions == null ? List.of() : List.copyOf(captions); // absent in the file of another comparison
    }

    public Comparison(String model, String className, String token, List<String> prompts, List<Long> seeds,
            List<ComparisonRow> rows) {
        this(model, className, token, prompts, seeds, rows, List.of());
    }

    /// What distinguishes a row from that of a run's result at strength 1.
    /// @param phrase replaces `{}` in the row's prompts
    public record RowVariant(String title, String phrase) {}

    /// One row.
    /// @param name    `base` or the method's name, with `-2` etc. for repeats; also the name of its image folder
    /// @param run     the run's folder, relative to the comparison's folder if inside it; null for the base model
    /// @param bytes   size of the adapter file
    /// @param seconds training time
    /// @param metrics empty before sampling, and if the model has no image encoder
    public record ComparisonRow(String name, @Nullable String run, long parameterCount, long bytes, double seconds,
            Optional<ClipScores> metrics, Optional<RowVariant> variant) {
        public ComparisonRow(String name, @Nullable String run, long parameterCount, long bytes, double seconds,
                Optional<ClipScores> metrics) {
            this(name, run, parameterCount, bytes, seconds, metrics, Optional.empty());
        }

        /// A row without metrics.
        ComparisonRow(String name, @Nullable String run, long parameterCount, long bytes, double seconds) {
            this(name, run, parameterCount, bytes, seconds, Optional.empty());
        }

        public static ComparisonRow base() {
            return new ComparisonRow(BASE, null, 0, 0, 0);
        }

        ComparisonRow with(RowVariant changed) {
            return new ComparisonRow(name, run, parameterCount, bytes, seconds, metrics, Optional.of(changed));
        }

        ComparisonRow with(ClipScores metrics) {
            return new ComparisonRow(name, run, parameterCount, bytes, seconds, Optional.of(metrics), variant);
        }

        public boolean isBase() { return name.equals(BASE); }
    }

    /// Replaces `{}` in a row's prompts.
    public String promptPhrase(ComparisonRow row) {
        return row.variant().map(RowVariant::phrase).orElseGet(() -> row.isBase() ? className : trainedPhrase());
    }

    /// Trigger word and class.
    public String trainedPhrase() {
        return (token + " " + className).strip();
    }

    /// A prompt of a row.
    public String prompt(ComparisonRow row, int prompt) {
        return prompts.get(prompt).replace(PLACEHOLDER, promptPhrase(row));
    }

    /// A prompt with the class instead of the trigger: the reference for the alignment of every row.
    public String classPrompt(int prompt) {
        return prompts.get(prompt).replace(PLACEHOLDER, className);
    }

    /// The text above the columns of a prompt.
    public String caption(int prompt) {
        return captions.isEmpty() ? prompt(rows.getLast(), prompt) : captions.get(prompt);
    }

    Comparison with(List<ComparisonRow> rows) {
        return new Comparison(model, className, token, prompts, seeds, rows, captions);
    }

    /// Path of an image in the comparison's folder, with forward slashes.
    public static String imagePath(ComparisonRow row, int prompt, long seed) {
        return "pictures/" + row.name() + "/" + prompt + "-" + seed + ".png";
    }

    public String toJson() {
        JsonObject json = GSON.toJsonTree(this).getAsJsonObject();
        if (captions.isEmpty()) json.remove("captions");
        return GSON.toJson(json) + "\n";
    }

    /// Reads a comparison's folder.
    public static Comparison read(Path folder) throws Failure {
        Path file = folder.resolve(FILE);
        try {
            Comparison comparison = GSON.fromJson(Files.readString(file), Comparison.class);
            if (comparison == null) throw new JsonParseException("an empty file");
            for (Object component : new Object[] {comparison.model(), comparison.className(), comparison.token(),
                    comparison.prompts(), comparison.seeds(), comparison.rows()})
                Objects.requireNonNull(component, "a field is missing");
            List.copyOf(comparison.prompts()); // throws for a null element
            List.copyOf(comparison.seeds());
            for (ComparisonRow row : List.copyOf(comparison.rows()))
                Objects.requireNonNull(row.name(), "a row without a name");
            return comparison;
        } catch (IOException | RuntimeException unreadable) {
            throw new Failure.Unreadable(file + ": expected a comparison, found something else ("
                    + unreadable.getMessage() + ").", unreadable);
        }
    }

    /// Loads a comparison's images.
    @FunctionalInterface
    public interface ImageLookup {
        RgbImage load(Comparison.ComparisonRow row, int prompt, long seed) throws Failure;
    }

    /// Content of the sheet and the page besides the images.
    /// @param photos   training photos
    /// @param details  one line: model, sampler, steps, guidance, size
    /// @param software the program and its version
    public record ReportContent(Comparison comparison, List<RgbImage> photos, String details, String software) {
        public ReportContent {
            photos = List.copyOf(photos);
        }
    }

    /// A row in `compare.json`: flat, with null for an absent metric.
    static final class RowJsonAdapter implements JsonSerializer<ComparisonRow>, JsonDeserializer<ComparisonRow> {
        @Override
        public JsonElement serialize(ComparisonRow row, Type type, JsonSerializationContext context) {
            JsonObject json = new JsonObject();
            json.addProperty("name", row.name());
            json.addProperty("run", row.run());
            json.addProperty("parameters", row.parameterCount());
            json.addProperty("numbers", row.parameterCount()); // name in earlier versions, which read it
            json.addProperty("bytes", row.bytes());
            json.addProperty("seconds", row.seconds());
            row.variant().ifPresent(variant -> {
                json.addProperty("title", variant.title());
                json.addProperty("phrase", variant.phrase());
            });
            Optional<ClipScores> metrics = row.metrics();
            json.addProperty("encoder", metrics.map(ClipScores::encoder).orElse(null));
            json.add("likeness", numberOrNull(metrics.map(ClipScores::likeness)));
            json.add("diversity", numberOrNull(metrics.map(ClipScores::diversity)));
            json.add("alignment", numberOrNull(metrics.map(ClipScores::alignment)));
            return json;
        }

        private static JsonElement numberOrNull(Optional<OptionalDouble> metric) {
            return metric.isPresent() && metric.get().isPresent() ? new JsonPrimitive(metric.get().getAsDouble())
                    : JsonNull.INSTANCE;
        }

        @Override
        public ComparisonRow deserialize(JsonElement element, Type type, JsonDeserializationContext context) {
            JsonObject json = element.getAsJsonObject();
            Optional<ClipScores> metrics = isPresent(json, "encoder")
                    ? Optional.of(new ClipScores(json.get("encoder").getAsString(), metric(json, "likeness"),
                            metric(json, "diversity"), metric(json, "alignment")))
                    : Optional.empty();
            return new ComparisonRow(json.get("name").getAsString(),
                    isPresent(json, "run") ? json.get("run").getAsString() : null,
                    json.get("numbers").getAsLong(), json.get("bytes").getAsLong(), json.get("seconds").getAsDouble(),
                    metrics, isPresent(json, "title")
                            ? Optional.of(new RowVariant(json.get("title").getAsString(),
                                    json.get("phrase").getAsString()))
                            : Optional.empty());
        }

        private static OptionalDouble metric(JsonObject json, String key) {
            return isPresent(json, key) ? OptionalDouble.of(json.get(key).getAsDouble()) : OptionalDouble.empty();
        }

        /// Comparisons of earlier versions have no metrics.
        private static boolean isPresent(JsonObject json, String key) {
            return json.has(key) && !json.get(key).isJsonNull();
        }
    }
}
