package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.prompt.Tokenizer;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Verifies a tokenizer against reference ids. A golden file has one JSON object per line: `text`, `ids` (all of them),
/// `paddedN` (truncated and padded to N) and `chunks` (the text as a prompt: `ids` of each chunk, and `weights` as runs
/// [weight, count]). The tolerance is 0.
final class TokenizerGolden {
    private static final Pattern PADDED = Pattern.compile("padded(\\d{1,6})");
    private static final int MAX_QUOTED_LENGTH = 24;
    private static final int MAX_VALUES = 1 << 20;

    private TokenizerGolden() {}

    static List<Deviation> verify(Path golden, Tokenizer tokenizer) throws Failure {
        List<Deviation> deviations = new ArrayList<>();
        int lineNumber = 0;
        for (String line : lines(golden)) {
            lineNumber++;
            if (line.isBlank()) continue;
            try {
                verify(lineNumber, Json.parse(golden + ", line " + lineNumber, line).object(), tokenizer, deviations);
            } catch (RuntimeException e) { // Gson throws several types for values of the wrong kind
                throw new Failure.Unreadable(golden + ", line " + lineNumber + ": expected JSON with text and ids: "
                        + SafeText.of(e.getMessage()), e);
            }
        }
        return deviations;
    }

    private static List<String> lines(Path golden) throws Failure {
        try {
            return Files.readAllLines(golden);
        } catch (IOException e) {
            throw new Failure.Unreadable(golden + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static void verify(int lineNumber, JsonObject line, Tokenizer tokenizer, List<Deviation> deviations)
            throws Failure {
        String text = line.get("text").getAsString();
        for (Map.Entry<String, JsonElement> entry : line.entrySet()) {
            Matcher padded = PADDED.matcher(entry.getKey());
            String name = "line " + lineNumber + " " + entry.getKey() + " \"" + truncate(text) + "\"";
            if (entry.getKey().equals("chunks")) {
                deviations.add(Deviation.absolute(name, flattenExpected(entry.getValue().getAsJsonArray()),
                        flattenFound(tokenizer.chunks(text)), 0));
            } else if (entry.getKey().equals("ids")) {
                deviations.add(compare(name, entry.getValue(), tokenizer.encode(text)));
            } else if (padded.matches()) {
                Tokenizer ofLength = tokenizer.withMaxLength(Integer.parseInt(padded.group(1)));
                deviations.add(compare(name, entry.getValue(), ofLength.encodePadded(text).ids()));
            }
        }
    }

    private static Deviation compare(String name, JsonElement expected, int[] found) {
        return Deviation.absolute(name, vector(expected.getAsJsonArray()), vector(found), 0);
    }

    /// The ids and weights of all chunks in one vector.
    private static Tensor flattenExpected(JsonArray chunks) {
        List<Float> values = new ArrayList<>();
        for (JsonElement chunk : chunks) {
            for (JsonElement id : chunk.getAsJsonObject().getAsJsonArray("ids")) values.add(id.getAsFloat());
            for (JsonElement run : chunk.getAsJsonObject().getAsJsonArray("weights")) {
                float weight = run.getAsJsonArray().get(0).getAsFloat();
                int count = run.getAsJsonArray().get(1).getAsInt();
                if (values.size() + (long) count > MAX_VALUES)
                    throw new IllegalStateException("more than " + MAX_VALUES + " weights");
                values.addAll(Collections.nCopies(count, weight));
            }
        }
        return vector(values);
    }

    private static Tensor flattenFound(List<Tokenizer.Chunk> chunks) {
        List<Float> values = new ArrayList<>();
        for (Tokenizer.Chunk chunk : chunks) {
            for (int id : chunk.ids()) values.add((float) id);
            for (float weight : chunk.weights()) values.add(weight);
        }
        return vector(values);
    }

    private static Tensor vector(List<Float> values) {
        return Tensor.generate(Shape.of(values.size()), values::get);
    }

    private static String truncate(String text) {
        return text.codePointCount(0, text.length()) <= MAX_QUOTED_LENGTH ? text
                : text.substring(0, text.offsetByCodePoints(0, MAX_QUOTED_LENGTH)) + "…";
    }

    private static Tensor vector(JsonArray ids) {
        List<JsonElement> elements = ids.asList();
        return vector(elements.stream().mapToInt(JsonElement::getAsInt).toArray());
    }

    private static Tensor vector(int... ids) {
        return Tensor.generate(Shape.of(ids.length), i -> ids[i]);
    }
}
