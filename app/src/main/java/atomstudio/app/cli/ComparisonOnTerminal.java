package atomstudio.app.cli;

import atomstudio.app.compare.Comparison;
import atomstudio.app.compare.Comparison.Row;
import atomstudio.app.compare.ComparisonJob;
import atomstudio.app.compare.ComparisonListener;
import atomstudio.app.compare.ComparisonRequest;
import atomstudio.app.compare.Words;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseHashes;
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
    private String title = "";
    private @Nullable Progress progress;

    private ComparisonOnTerminal(Studio studio, int runs) {
        this.studio = studio;
        this.phases = runs + 1;
    }

    /// How the result is printed.
    enum Form { LINES, JSON }

    static int run(Studio studio, ComparisonRequest request, Device device, Form form) throws Failure {
        ComparisonOnTerminal terminal = new ComparisonOnTerminal(studio, runs(request));
        Machine machine = new Machine(device, Runtime.getRuntime().availableProcessors(), studio.home().folder());
        ComparisonJob job = new ComparisonJob(request, machine, new BaseHashes(studio.home().baseHashes()), terminal);
        Optional<ComparisonJob.Result> result;
        try (StopSignal.Watch watch = studio.stop().watch()) {
            result = job.run();
        } finally {
            terminal.endBar();
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
            String cost = row.isBase() ? "" : String.format(Locale.ROOT, "%10s %14s", Words.bytes(row.bytes()), Words.seconds(row.seconds()));
            terminal.result(String.format(Locale.ROOT, "%-20s %16s %s", Words.title(row), Words.numbers(row), cost).stripTrailing());
        }
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
        int place = ComparisonJob.METHODS.stream().map(choice -> choice.command()).toList().indexOf(name) + 1;
        switch (event) {
            case TuneEvent.Start start -> bar(place + "/" + phases + " tuning " + name, start.steps()).at(start.step());
            case TuneEvent.Step step -> {
                if (progress != null) progress.at(step.step(), String.format(Locale.ROOT, "loss %.4f", step.loss()));
            }
            case TuneEvent.Note note -> note(note.message());
            case TuneEvent.Preview preview -> { }
            case TuneEvent.Checkpoint checkpoint -> { }
            case TuneEvent.Paused paused -> { }
            case TuneEvent.Resumed resumed -> { }
            case TuneEvent.Cancelled cancelled -> endBar();
            case TuneEvent.Failed failed -> endBar();
            case TuneEvent.Done done -> endBar();
        }
    }

    @Override public void sampling(int done, int total) {
        bar(phases == 1 ? "pictures" : phases + "/" + phases + " pictures", total).at(done);
    }

    @Override public void note(String line) {
        if (noted.add(line)) studio.terminal().note(line);
    }

    @Override public Next next() {
        return studio.stop().requested() ? Next.STOP : Next.CONTINUE;
    }

    /// The bar of this title, a new one where the last had another.
    private Progress bar(String wanted, int total) {
        if (progress == null || !title.equals(wanted)) {
            endBar();
            title = wanted;
            progress = Progress.of(studio.terminal(), wanted, total);
        }
        return progress;
    }

    private void endBar() {
        if (progress != null) progress.close();
        progress = null;
    }
}
