package atomstudio.diffusion.prompt;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Texts and a reference tokenizer's ids, one JSON object a line: `text`, `ids` (all of them), `paddedN` (cut and
/// padded to N) and `chunks` (the text as a prompt: of each chunk its `ids`, and its `weights` as [weight, how many
/// ids have it]). Ids must be equal: the tolerance is 0.
public final class TokenizerGolden {
    private static final Pattern PADDED = Pattern.compile("padded(\\d{1,6})");
    private static final int MAX_QUOTED_LENGTH = 24;
    private static final int MAX_VALUES = 1 << 20;

    private TokenizerGolden() {}

    public static List<Deviation> verify(Path golden, Tokenizer tokenizer) throws Failure {
        List<Deviation> deviations = new ArrayList<>();
        int lineNumber = 0;
        for (String line : lines(golden)) {
            lineNumber++;
            if (line.isBlank()) continue;
            try {
                verify(lineNumber, JsonParser.parseString(line).getAsJsonObject(), tokenizer, deviations);
            } catch (RuntimeException e) { // of any kind that the parser throws for a value of another
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
            int[] found;
            if (entry.getKey().equals("chunks")) {
                deviations.add(Deviation.absolute(name, flattenExpected(entry.getValue().getAsJsonArray()),
                        flattenFound(tokenizer.chunks(text)), 0));
                continue;
            }
            if (entry.getKey().equals("ids")) found = tokenizer.encode(text);
            else
                if (padded.matches())
                    found = tokenizer.withMaxLength(Integer.parseInt(padded.group(1))).encodePadded(text).ids();
                else
                    continue;
            deviations.add(Deviation.absolute(name, vector(entry.getValue().getAsJsonArray()), vector(found), 0));
        }
    }

    /// Ids and weights one after another.
    private static Tensor flattenExpected(JsonArray chunks) {
        List<Float> values = new ArrayList<>();
        for (JsonElement chunk : chunks) {
            for (JsonElement id : chunk.getAsJsonObject().getAsJsonArray("ids")) values.add(id.getAsFloat());
            for (JsonElement run : chunk.getAsJsonObject().getAsJsonArray("weights")) {
                if (values.size() + (long) run.getAsJsonArray().get(1).getAsInt() > MAX_VALUES)
                    throw new IllegalStateException("more than " + MAX_VALUES + " weights");
                values.addAll(Collections.nCopies(run.getAsJsonArray().get(1).getAsInt(),
                        run.getAsJsonArray().get(0).getAsFloat()));
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
        Tensor vector = Tensor.zeros(Shape.of(values.size()));
        for (int i = 0; i < values.size(); i++) vector.data()[i] = values.get(i);
        return vector;
    }

    private static String truncate(String text) {
        return text.codePointCount(0, text.length()) <= MAX_QUOTED_LENGTH ? text
                : text.substring(0, text.offsetByCodePoints(0, MAX_QUOTED_LENGTH)) + "…";
    }

    private static Tensor vector(JsonArray ids) {
        return vector(ids.asList().stream().mapToInt(JsonElement::getAsInt).toArray());
    }

    private static Tensor vector(int... ids) {
        Tensor vector = Tensor.zeros(Shape.of(ids.length));
        for (int i = 0; i < ids.length; i++) vector.data()[i] = ids[i];
        return vector;
    }
}
