package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.TrainingEstimate;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

/// What `tune --dry-run --json` printed.
final class EstimateParser {
    private EstimateParser() {}

    /// @param errorOutput its last words, for when it failed
    static TrainingEstimate parse(int exit, String output, String errorOutput) throws Failure {
        if (exit == 137) throw new Failure.Incompatible("The estimate itself did not fit into the memory. Close other programs, or choose a smaller size.");
        if (exit != 0) throw new Failure.Unreadable(errorOutput.isEmpty() ? "The estimate ended by itself (code " + exit + "). Ask again." : errorOutput);
        try {
            JsonObject json = JsonParser.parseString(output).getAsJsonObject();
            TrainingEstimate.MemoryFit memory = new TrainingEstimate.MemoryFit(json.get("memory").getAsLong(), json.get("memorySource").getAsString(), json.get("available").getAsLong());
            TrainingEstimate.TimeEstimate time = new TrainingEstimate.TimeEstimate(json.get("secondsPerStep").getAsDouble(), json.get("secondsBefore").getAsDouble(), json.get("seconds").getAsDouble());
            return new TrainingEstimate(json.get("numbers").getAsLong(), json.get("share").getAsDouble(), memory, time, json.getAsJsonArray("advice").asList().stream().map(JsonElement::getAsString).toList());
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            throw new Failure.Unreadable("The estimate cannot be read: expected one JSON object, found \"" + output.strip() + "\"", e);
        }
    }
}
