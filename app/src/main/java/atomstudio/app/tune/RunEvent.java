package atomstudio.app.tune;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.Optional;

/// A line of `events.jsonl`. `step` counts finished steps.
public sealed interface RunEvent {
    int step();

    /// The first start, or a resume from `step`.
    record Started(int step, int steps, String device, int threads) implements RunEvent {}

    /// @param seconds how long the step took
    /// @param memory resident bytes of the process
    record Stepped(int step, double loss, double seconds, long memory) implements RunEvent {}

    /// @param file relative to the run's folder
    record Previewed(int step, String file, String prompt) implements RunEvent {}

    record Saved(int step) implements RunEvent {}

    record Paused(int step) implements RunEvent {}

    record Resumed(int step) implements RunEvent {}

    record Cancelled(int step) implements RunEvent {}

    record Failed(int step, String message) implements RunEvent {}

    record Done(int step, double seconds) implements RunEvent {}

    /// Empty for a line that is torn, or of a kind that a later version writes.
    static Optional<RunEvent> parse(String line) {
        try {
            JsonObject json = JsonParser.parseString(line).getAsJsonObject();
            int step = json.get("step").getAsInt();
            return Optional.ofNullable(switch (json.get("kind").getAsString()) {
                case "start" -> new Started(step, json.get("steps").getAsInt(), text(json, "device"), (int) number(json, "threads"));
                case "step" -> new Stepped(step, json.get("loss").getAsDouble(), number(json, "seconds"), (long) number(json, "memory"));
                case "preview" -> new Previewed(step, json.get("file").getAsString(), text(json, "prompt"));
                case "checkpoint" -> new Saved(step);
                case "paused" -> new Paused(step);
                case "resumed" -> new Resumed(step);
                case "cancelled" -> new Cancelled(step);
                case "failed" -> new Failed(step, text(json, "message"));
                case "done" -> new Done(step, number(json, "seconds"));
                default -> null;
            });
        } catch (JsonParseException | IllegalStateException | NullPointerException | UnsupportedOperationException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static String text(JsonObject json, String name) {
        return json.has(name) ? json.get(name).getAsString() : "";
    }

    private static double number(JsonObject json, String name) {
        return json.has(name) ? json.get(name).getAsDouble() : 0;
    }
}
