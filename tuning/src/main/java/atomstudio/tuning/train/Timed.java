package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import java.util.Optional;

/// An event and when it happened, in epoch milliseconds.
public record Timed(long time, TrainingEvent event) {
    /// A line of `events.jsonl`, for readers that follow it; empty for a torn line, or a kind that a later version writes.
    public static Optional<Timed> parse(String line) {
        try {
            return Optional.ofNullable(EventLog.parse(Json.parse("events.jsonl", line)));
        } catch (Failure damaged) {
            return Optional.empty();
        }
    }
}
