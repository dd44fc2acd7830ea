package atomstudio.app.tune;

import atomstudio.diffusion.Failure;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The run folders of a person, `SUBJECT-METHOD` or `SUBJECT-METHOD-n`. For jobs only.
public final class RunStore {
    private static final Logger log = LoggerFactory.getLogger(RunStore.class);
    private static final String METHODS = Stream.of(Method.values()).map(method -> Pattern.quote(method.argument())).collect(Collectors.joining("|"));

    private final Path folder;

    public RunStore(Path folder) {
        this.folder = folder;
    }

    /// Runs of a subject, the newest first. Damaged ones are left out.
    public List<RunSummary> of(String subject) throws Failure {
        if (!Files.isDirectory(folder)) return List.of();
        Pattern name = Pattern.compile(Pattern.quote(subject) + "-(" + METHODS + ")(-\\d+)?");
        try (Stream<Path> folders = Files.list(folder)) {
            List<Path> found = folders.filter(path -> name.matcher(path.getFileName().toString()).matches() && Files.isRegularFile(path.resolve("run.json"))).toList();
            List<RunSummary> runs = new ArrayList<>();
            for (Path path : found) {
                try {
                    runs.add(read(subject, path));
                } catch (IOException | RuntimeException damaged) {
                    log.warn("{} is left out of the list of runs", path, damaged);
                }
            }
            runs.sort(Comparator.comparing(RunSummary::created).reversed().thenComparing(run -> run.folder().toString()));
            return runs;
        } catch (IOException e) {
            throw new Failure.Unreadable("The runs in " + folder + " cannot be listed: " + e.getMessage(), e);
        }
    }

    /// A folder for a new run, neither there nor promised; it is made by whoever tunes.
    public Path free(String subject, Method method, Collection<Path> promised) {
        String wish = subject + "-" + method.argument();
        Path path = folder.resolve(wish);
        for (int n = 2; Files.exists(path) || promised.contains(path); n++) path = folder.resolve(wish + "-" + n);
        return path;
    }

    /// Deletes a run for good.
    public void delete(Path run) throws Failure {
        if (!run.startsWith(folder) || !Files.isDirectory(run)) return;
        try (Stream<Path> files = Files.walk(run)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        } catch (IOException e) {
            throw new Failure.Unwritable(run + " cannot be deleted: " + e.getMessage(), e);
        }
    }

    private static RunSummary read(String subject, Path run) throws IOException {
        JsonObject json = json(run.resolve("run.json"));
        Method method = Method.of(json.get("method").getAsString()).orElseThrow();
        TuneSettings settings = new TuneSettings(
            json.has("steps") ? OptionalInt.of(json.get("steps").getAsInt()) : OptionalInt.empty(),
            json.has("rate") ? OptionalDouble.of(json.get("rate").getAsDouble()) : OptionalDouble.empty(),
            json.has("previewEvery") ? OptionalInt.of(json.get("previewEvery").getAsInt()) : OptionalInt.empty(),
            (long) number(json, "seed", 0), (int) number(json, "atoms", 9), (int) number(json, "rank", 4));
        TuneOrder order = new TuneOrder(subject, Path.of(json.getAsJsonObject("model").get("path").getAsString()), run.resolve("pictures"),
            new TuneOrder.Words(json.get("class").getAsString(), json.get("token").getAsString()), method, settings, run);
        RunProgress progress = new EventsFile(run.resolve("events.jsonl"), RunProgress.none(RunProgress.State.CANCELLED)).poll();
        // Nothing here is being tuned by this window: what looks active has been cut off.
        if (progress.active()) progress = progress.with(RunProgress.State.CANCELLED, "");
        return new RunSummary(order, Instant.parse(json.get("created").getAsString()), progress, result(run));
    }

    private static RunSummary.Result result(Path run) throws IOException {
        Path report = run.resolve("report.json");
        if (!Files.isRegularFile(report)) return RunSummary.Result.none();
        JsonObject json = json(report);
        return new RunSummary.Result((long) number(json, "numbers", 0), (long) number(json, "bytes", 0), number(json, "share", 0),
            number(json, "seconds", 0), (long) number(json, "peakMemory", 0));
    }

    private static JsonObject json(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static double number(JsonObject json, String name, double otherwise) {
        JsonElement value = json.get(name);
        return value == null || value.isJsonNull() ? otherwise : value.getAsDouble();
    }
}
