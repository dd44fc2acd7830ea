package atomstudio.app.cli;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.app.compare.ComparisonJob;
import atomstudio.app.compare.ComparisonRequest;
import atomstudio.app.compare.ComparisonText;
import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.run.TrainingEvent;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a comparison with a bar on the terminal and prints what came of it: for `compare` and `demo`.
final class ComparisonRunner implements ComparisonJob.ComparisonListener {
    private final CommandContext context;
    private final int phases;
    private final Set<String> printedNotes = new HashSet<>();
    private String currentRun = "";
    private @Nullable TrainingProgressBar tuning;
    private @Nullable ProgressBar sampling;
    private int lastSampled = -1;

    private ComparisonRunner(CommandContext context, int runs) {
        this.context = context;
        this.phases = runs + 1;
    }

    /// How the result is printed.
    enum ComparisonFormat { LINES, JSON }

    static int run(CommandContext context, ComparisonRequest request, Device device, ComparisonFormat form)
            throws Failure {
        ComparisonRunner runner = new ComparisonRunner(context, trainingRunCount(request));
        TrainingEnvironment machine = context.machine(device);
        ComparisonJob job = new ComparisonJob(request, machine, new BaseModelHashes(context.home().baseHashes()),
                runner);
        Optional<ComparisonJob.ComparisonResult> result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            result = job.run();
        } finally {
            runner.closeBars();
        }
        if (result.isEmpty()) {
            context.terminal().printNote("Stopped; the same command goes on where it was.");
            return ExitCode.CANCELLED;
        }
        switch (form) {
            case LINES -> printLines(context.terminal(), result.get());
            case JSON -> context.terminal().printResult(json(result.get()).toString());
        }
        return ExitCode.SUCCESS;
    }

    /// Runs that are tuned before anything is sampled.
    private static int trainingRunCount(ComparisonRequest request) {
        return switch (request.source()) {
            case ComparisonRequest.TrainNewRuns tuned -> ComparisonJob.METHODS.size();
            case ComparisonRequest.ExistingRuns given -> 0;
        };
    }

    private static void printLines(Terminal terminal, ComparisonJob.ComparisonResult result) {
        for (ComparisonRow row : result.comparison().rows()) {
            String cost = row.isBase() ? " ".repeat(25)
                    : String.format(Locale.ROOT, "%10s %14s", DisplayFormat.bytes(row.bytes()),
                            DisplayFormat.seconds(row.seconds()));
            String line = String.format(Locale.ROOT, "%-22s %18s %s", ComparisonText.rowTitle(row),
                    ComparisonText.parameters(row), cost);
            terminal.printResult((line + "  " + String.join("  ", ComparisonText.metrics(row))).stripTrailing());
        }
        terminal.printResult(ComparisonText.metricsNote(result.comparison()));
        terminal.printResult(result.sheet().toString());
        terminal.printResult(result.page().toString());
    }

    /// `compare.json` and where everything is.
    private static JsonObject json(ComparisonJob.ComparisonResult result) {
        JsonObject json = new JsonObject();
        json.addProperty("sheet", result.sheet().toString());
        json.addProperty("page", result.page().toString());
        json.addProperty("description", result.description().toString());
        json.add("comparison", JsonParser.parseString(result.comparison().toJson()));
        return json;
    }

    @Override
    public void onTrainingEvent(String name, TrainingEvent event) {
        if (event instanceof TrainingEvent.Note note) {
            onNote(note.message());
            return;
        }
        if (tuning == null || !currentRun.equals(name)) {
            closeBars();
            currentRun = name;
            int position = ComparisonJob.METHODS.stream().map(MethodSettings::combinedName).toList().indexOf(name) + 1;
            tuning = new TrainingProgressBar(context.terminal(), position + "/" + phases + " " + name);
        }
        tuning.on(event);
    }

    @Override
    public void onSamplingProgress(int done, int total) {
        if (sampling == null) {
            closeBars();
            sampling = ProgressBar.of(context.terminal(),
                    phases == 1 ? "pictures" : phases + "/" + phases + " pictures", total);
        }
        if (done != lastSampled) sampling.update(done);
        lastSampled = done;
    }

    @Override
    public void onNote(String line) {
        if (printedNotes.add(line)) context.terminal().printNote(line);
    }

    @Override
    public ComparisonControl next() {
        return context.stopSignal().requested() ? ComparisonControl.STOP : ComparisonControl.CONTINUE;
    }

    private void closeBars() {
        if (tuning != null) tuning.close();
        if (sampling != null) sampling.close();
        tuning = null;
        sampling = null;
    }
}
