package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.tensor.AtomicFile;
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
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// `events.jsonl`: one JSON object a line, appended and flushed. The last line of a killed run may be cut short; readers leave it out.
final class EventLog implements AutoCloseable {
    private final Path file;
    private final OutputStream out;

    private EventLog(Path file, OutputStream out) {
        this.file = file;
        this.out = out;
    }

    /// Opens for appending, after dropping what happened past `step`: steps that no checkpoint holds are done again, a run without one
    /// begins again. So are previews and validations past `watched`.
    static EventLog resume(Path file, int step, int watched) throws Failure {
        StringBuilder kept = new StringBuilder();
        for (TimedEvent event : read(file)) if (step > 0 && event.event().step() <= (again(event.event()) ? watched : step)) kept.append(json(event.time(), event.event())).append('\n');
        AtomicFile.write(file, stream -> stream.write(kept.toString().getBytes(StandardCharsets.UTF_8)));
        try {
            return new EventLog(file, Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    private static boolean again(TuneEvent event) {
        return event instanceof TuneEvent.Preview || event instanceof TuneEvent.Validation;
    }

    void append(TuneEvent event) throws Failure {
        try {
            out.write((json(System.currentTimeMillis(), event) + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    /// Every whole line.
    static List<TimedEvent> read(Path file) throws Failure {
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
        List<TimedEvent> events = new ArrayList<>();
        int from = 0;
        int line = 0;
        for (int end; (end = text.indexOf('\n', from)) >= 0; from = end + 1) {
            TimedEvent event = parse(Json.parse(file + ": line " + ++line, text.substring(from, end)));
            if (event != null) events.add(event);
        }
        return events;
    }

    static @Nullable TimedEvent parse(Json json) throws Failure.Unreadable {
        int step = count(json, "step");
        TuneEvent event = switch (json.string("kind")) {
            case "start" -> new TuneEvent.Start(step, count(json, "steps"), json.string("device"), count(json, "threads"));
            case "step" -> new TuneEvent.Step(step, number(json, "loss"), json.number("rate"), json.number("seconds"), json.integer("memory"));
            case "preview" -> new TuneEvent.Preview(step, json.string("file"), json.string("prompt"));
            case "validation" -> new TuneEvent.Validation(step, json.string("measure"), number(json, "value"), count(json, "best"));
            case "checkpoint" -> new TuneEvent.Checkpoint(step);
            case "paused" -> new TuneEvent.Paused(step);
            case "resumed" -> new TuneEvent.Resumed(step);
            case "cancelled" -> new TuneEvent.Cancelled(step);
            case "failed" -> new TuneEvent.Failed(step, json.string("message"));
            case "note" -> new TuneEvent.Note(step, json.string("message"));
            case "done" -> new TuneEvent.Done(step, number(json, "loss"), json.integer("numbers"), json.integer("bytes"), json.number("seconds"));
            default -> null;                                            // of a newer version: nothing to show here
        };
        return event == null ? null : new TimedEvent(json.integer("time"), event);
    }

    private static int count(Json json, String key) throws Failure.Unreadable {
        return json.integer(key, 0, Integer.MAX_VALUE);
    }

    /// A measured number, which is null where it was none.
    private static double number(Json json, String key) throws Failure.Unreadable {
        return json.find(key, "a number or null", Json::number).orElse(Double.NaN);
    }

    private static JsonObject json(long time, TuneEvent event) {
        JsonObject json = new JsonObject();
        json.addProperty("time", time);
        json.addProperty("kind", event.getClass().getSimpleName().toLowerCase(Locale.ROOT));
        json.addProperty("step", event.step());
        switch (event) {
            case TuneEvent.Start start -> {
                json.addProperty("steps", start.steps());
                json.addProperty("device", start.device());
                json.addProperty("threads", start.threads());
            }
            case TuneEvent.Step step -> {
                json.add("loss", Json.numberOrNull(step.loss()));
                json.add("rate", Json.numberOrNull(step.rate()));
                json.add("seconds", Json.numberOrNull(step.seconds()));
                json.addProperty("memory", step.memory());
            }
            case TuneEvent.Preview preview -> {
                json.addProperty("file", preview.file());
                json.addProperty("prompt", preview.prompt());
            }
            case TuneEvent.Validation validation -> {
                json.addProperty("measure", validation.measure());
                json.add("value", Json.numberOrNull(validation.value()));
                json.addProperty("best", validation.best());
            }
            case TuneEvent.Failed failed -> json.addProperty("message", failed.message());
            case TuneEvent.Note note -> json.addProperty("message", note.message());
            case TuneEvent.Done done -> {
                json.add("loss", Json.numberOrNull(done.loss()));
                json.addProperty("numbers", done.numbers());
                json.addProperty("bytes", done.bytes());
                json.add("seconds", Json.numberOrNull(done.seconds()));
            }
            case TuneEvent.Checkpoint _, TuneEvent.Paused _, TuneEvent.Resumed _, TuneEvent.Cancelled _ -> {}
        }
        return json;
    }

    private static Failure unwritable(Path file, IOException e) {
        return new Failure.Unwritable(file + ": cannot be written: " + e.getMessage() + "; free some space, then run the same command again", e);
    }

    @Override public void close() throws Failure {
        try {
            out.close();
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }
}
