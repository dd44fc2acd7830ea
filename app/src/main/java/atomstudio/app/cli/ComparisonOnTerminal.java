package atomstudio.app.cli;

import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.compare.ComparisonJob;
import atomstudio.app.compare.ComparisonListener;
import atomstudio.app.compare.ComparisonRequest;
import atomstudio.app.compare.Words;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseHashes;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.Machine;
import atomstudio.tuning.train.TuneEvent;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a comparison with a bar on the terminal and prints what came of it: for `compare` and `demo`.
final class ComparisonOnTerminal implements ComparisonListener {
    private final Studio studio;
    private final int phases;
    private final Set<String> noted = new HashSet<>();
    private String tuned = "";
    private @Nullable TuneProgress tuning;
    private @Nullable Progress sampling;
    private int sampled = -1;

    private ComparisonOnTerminal(Studio studio, int runs) {
        this.studio = studio;
        this.phases = runs + 1;
    }

    /// How the result is printed.
    enum Form { LINES, JSON }

    static int run(Studio studio, ComparisonRequest request, Device device, Form form) throws Failure {
        ComparisonOnTerminal terminal = new ComparisonOnTerminal(studio, runs(request));
        Machine machine = studio.machine(device);
        ComparisonJob job = new ComparisonJob(request, machine, new BaseHashes(studio.home().baseHashes()), terminal);
        Optional<ComparisonJob.Result> result;
        try (StopSignal.Watch watch = studio.stop().watch()) {
            result = job.run();
        } finally {
            terminal.endBars();
        }
        if (result.isEmpty()) {
            studio.terminal().note("Stopped; the same command goes on where it was.");
            return ExitCode.CANCELLED;
        }
        switch (form) {
            case LINES -> lines(studio.terminal(), result.get());
            case JSON -> studio.terminal().result(json(result.get()).toString());
        }
        return ExitCode.DONE;
    }

    /// Runs that are tuned before anything is sampled.
    private static int runs(ComparisonRequest request) {
        return switch (request.source()) {
            case ComparisonRequest.Tuned tuned -> ComparisonJob.METHODS.size();
            case ComparisonRequest.Given given -> 0;
        };
    }

    private static void lines(Terminal terminal, ComparisonJob.Result result) {
        for (Row row : result.comparison().rows()) {
            String cost = row.isBase() ? " ".repeat(25) : String.format(Locale.ROOT, "%10s %14s", Words.bytes(row.bytes()), Words.seconds(row.seconds()));
            String line = String.format(Locale.ROOT, "%-22s %18s %s", Words.title(row), Words.numbers(row), cost);
            terminal.result((line + "  " + String.join("  ", Words.measures(row))).stripTrailing());
        }
        terminal.result(Words.encoder(result.comparison()));
        terminal.result(result.sheet().toString());
        terminal.result(result.page().toString());
    }

    /// `compare.json` and where everything is.
    private static JsonObject json(ComparisonJob.Result result) {
        JsonObject json = new JsonObject();
        json.addProperty("sheet", result.sheet().toString());
        json.addProperty("page", result.page().toString());
        json.addProperty("description", result.description().toString());
        json.add("comparison", JsonParser.parseString(result.comparison().toJson()));
        return json;
    }

    @Override public void tuning(String name, TuneEvent event) {
        if (event instanceof TuneEvent.Note note) {
            note(note.message());
            return;
        }
        if (tuning == null || !tuned.equals(name)) {
            endBars();
            tuned = name;
            int place = ComparisonJob.METHODS.stream().map(MethodSettings::combinedName).toList().indexOf(name) + 1;
            tuning = new TuneProgress(studio.terminal(), place + "/" + phases + " " + name);
        }
        tuning.on(event);
    }

    @Override public void sampling(int done, int total) {
        if (sampling == null) {
            endBars();
            sampling = Progress.of(studio.terminal(), phases == 1 ? "pictures" : phases + "/" + phases + " pictures", total);
        }
        if (done != sampled) sampling.at(done);
        sampled = done;
    }

    @Override public void note(String line) {
        if (noted.add(line)) studio.terminal().note(line);
    }

    @Override public Next next() {
        return studio.stop().requested() ? Next.STOP : Next.CONTINUE;
    }

    private void endBars() {
        if (tuning != null) tuning.close();
        if (sampling != null) sampling.close();
        tuning = null;
        sampling = null;
    }
}
