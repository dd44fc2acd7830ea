package atomstudio.tuning.run;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `events.jsonl`: one JSON object per line, appended and flushed. The last line of a killed run may be truncated;
/// readers skip it.
public final class EventLog implements AutoCloseable {
    private final Path file;
    private final OutputStream out;

    private EventLog(Path file, OutputStream out) {
        this.file = file;
        this.out = out;
    }

    /// Opens for appending, without the events after `step`: steps after the checkpoint are repeated, and so are
    /// previews and validations after `evaluatedStep`. A run without a checkpoint starts over.
    public static EventLog resume(Path file, int step, int evaluatedStep) throws Failure {
        StringBuilder keptLines = new StringBuilder();
        for (TrainingEvent.Timed event : read(file))
            if (step > 0 && event.event().step() <= (isEvaluation(event.event()) ? evaluatedStep : step))
                keptLines.append(json(event.time(), event.event())).append('\n');
        AtomicFile.write(file, stream -> stream.write(keptLines.toString().getBytes(StandardCharsets.UTF_8)));
        try {
            return new EventLog(file,
                    Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static boolean isEvaluation(TrainingEvent event) {
        return event instanceof TrainingEvent.Preview || event instanceof TrainingEvent.Validation;
    }

    public void append(TrainingEvent event) throws Failure {
        try {
            out.write((json(System.currentTimeMillis(), event) + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    /// All complete lines.
    public static List<TrainingEvent.Timed> read(Path file) throws Failure {
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        List<TrainingEvent.Timed> events = new ArrayList<>();
        int from = 0;
        int line = 0;
        for (int end; (end = text.indexOf('\n', from)) >= 0; from = end + 1) {
            TrainingEvent.Timed event = parse(Json.parse(file + ": line " + ++line, text.substring(from, end)));
            if (event != null) events.add(event);
        }
        return events;
    }

    static TrainingEvent.@Nullable Timed parse(Json json) throws Failure.Unreadable {
        int step = count(json, "step");
        TrainingEvent event = switch (json.string("kind")) { // as in `kind`
            case "start" ->
                    new TrainingEvent.Start(step, count(json, "steps"), json.string("device"), count(json, "threads"));
            case "step" -> new TrainingEvent.Step(step, number(json, "loss"), json.number("rate"),
                    json.number("seconds"), json.integer("memory"));
            case "preview" -> new TrainingEvent.Preview(step, json.string("file"), json.string("prompt"));
            case "validation" -> new TrainingEvent.Validation(step, json.string("measure"), number(json, "value"),
                    count(json, "best"));
            case "checkpoint" -> new TrainingEvent.Checkpoint(step);
            case "paused" -> new TrainingEvent.Paused(step);
            case "resumed" -> new TrainingEvent.Resumed(step);
            case "cancelled" -> new TrainingEvent.Cancelled(step);
            case "failed" -> new TrainingEvent.Failed(step, json.string("message"));
            case "note" -> new TrainingEvent.Note(step, json.string("message"));
            case "done" -> new TrainingEvent.Done(step, number(json, "loss"),
                    TrainingReport.parameterCount(json), json.integer("bytes"), json.number("seconds"));
            default -> null; // of a newer version
        };
        return event == null ? null : new TrainingEvent.Timed(json.integer("time"), event);
    }

    private static int count(Json json, String key) throws Failure.Unreadable {
        return json.integer(key, 0, Integer.MAX_VALUE);
    }

    /// NaN for null.
    private static double number(Json json, String key) throws Failure.Unreadable {
        return json.find(key, "a number or null", Json::number).orElse(Double.NaN);
    }

    private static String kind(TrainingEvent event) {
        return switch (event) {
            case TrainingEvent.Start _ -> "start";
            case TrainingEvent.Step _ -> "step";
            case TrainingEvent.Preview _ -> "preview";
            case TrainingEvent.Validation _ -> "validation";
            case TrainingEvent.Checkpoint _ -> "checkpoint";
            case TrainingEvent.Paused _ -> "paused";
            case TrainingEvent.Resumed _ -> "resumed";
            case TrainingEvent.Cancelled _ -> "cancelled";
            case TrainingEvent.Failed _ -> "failed";
            case TrainingEvent.Note _ -> "note";
            case TrainingEvent.Done _ -> "done";
        };
    }

    private static JsonObject json(long time, TrainingEvent event) {
        JsonObject json = new JsonObject();
        json.addProperty("time", time);
        json.addProperty("kind", kind(event));
        json.addProperty("step", event.step());
        switch (event) {
            case TrainingEvent.Start start -> {
                json.addProperty("steps", start.steps());
                json.addProperty("device", start.device());
                json.addProperty("threads", start.threads());
            }
            case TrainingEvent.Step step -> {
                json.add("loss", Json.numberOrNull(step.loss()));
                json.add("rate", Json.numberOrNull(step.learningRate()));
                json.add("seconds", Json.numberOrNull(step.seconds()));
                json.addProperty("memory", step.residentBytes());
            }
            case TrainingEvent.Preview preview -> {
                json.addProperty("file", preview.file());
                json.addProperty("prompt", preview.prompt());
            }
            case TrainingEvent.Validation validation -> {
                json.addProperty("measure", validation.measure());
                json.add("value", Json.numberOrNull(validation.value()));
                json.addProperty("best", validation.bestStep());
            }
            case TrainingEvent.Failed failed -> json.addProperty("message", failed.message());
            case TrainingEvent.Note note -> json.addProperty("message", note.message());
            case TrainingEvent.Done done -> {
                json.add("loss", Json.numberOrNull(done.loss()));
                TrainingReport.addParameterCount(json, done.parameterCount());
                json.addProperty("bytes", done.bytes());
                json.add("seconds", Json.numberOrNull(done.seconds()));
            }
            case TrainingEvent.Checkpoint _,TrainingEvent.Paused _,TrainingEvent.Resumed _,TrainingEvent.Cancelled _ ->
                    {}
        }
        return json;
    }

    private static Failure unwritable(Path file, IOException e) {
        return new Failure.Unwritable(
                file + ": cannot be written: " + e.getMessage() + "; free some space, then run the same command again",
                e);
    }

    @Override
    public void close() throws Failure {
        try {
            out.close();
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }
}
