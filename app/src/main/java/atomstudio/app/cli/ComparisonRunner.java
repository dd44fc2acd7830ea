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
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs a comparison with progress bars and prints the result: for `compare` and `demo`.
final class ComparisonRunner implements ComparisonJob.ComparisonListener {
    private final Terminal terminal;
    private final int phases;
    private final Set<String> printedNotes = new HashSet<>();
    private String currentRun = "";
    private @Nullable TrainingProgressBar training;
    private @Nullable ProgressBar sampling;
    private int lastSampled = -1;

    /// @param trainedRuns trained before sampling
    private ComparisonRunner(Terminal terminal, int trainedRuns) {
        this.terminal = terminal;
        this.phases = trainedRuns + 1;
    }

    /// @return the exit code
    static int run(CommandContext context, ComparisonRequest request, Device device, OutputOption output)
            throws Failure {
        ComparisonRunner runner = new ComparisonRunner(context.terminal(), switch (request.source()) {
            case ComparisonRequest.TrainNewRuns _ -> ComparisonJob.METHODS.size();
            case ComparisonRequest.ExistingRuns _ -> 0;
        });
        TrainingEnvironment machine = context.machine(device);
        ComparisonJob job = new ComparisonJob(request, machine, new BaseModelHashes(context.home().baseHashes()),
                runner, context.stopSignal()::requested);
        Optional<ComparisonJob.ComparisonResult> result;
        try (StopSignal.Registration registration = context.stopSignal().register()) {
            result = job.run();
        } finally {
            runner.closeBars();
        }
        if (result.isEmpty()) {
            context.terminal().printNote("Stopped; the same command continues.");
            return ExitCode.CANCELLED;
        }
        output.print(context.terminal(), () -> json(result.get()), () -> lines(result.get()));
        return ExitCode.SUCCESS;
    }

    private static List<String> lines(ComparisonJob.ComparisonResult result) {
        List<String> lines = new ArrayList<>();
        for (ComparisonRow row : result.comparison().rows()) {
            String cost = row.isBase() ? " ".repeat(25)
                    : String.format(Locale.ROOT, "%10s %14s", DisplayFormat.bytes(row.bytes()),
                            DisplayFormat.duration(row.seconds()));
            String line = String.format(Locale.ROOT, "%-22s %18s %s  %s", ComparisonText.rowTitle(row),
                    ComparisonText.parameters(row), cost, String.join("  ", ComparisonText.metrics(row)));
            lines.add(line.stripTrailing());
        }
        lines.add(ComparisonText.metricsNote(result.comparison()));
        lines.add(result.sheet().toString());
        lines.add(result.page().toString());
        return lines;
    }

    /// `compare.json` and the paths of the files.
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
        if (training == null || !currentRun.equals(name)) {
            closeBars();
            currentRun = name;
            int position = ComparisonJob.METHODS.stream().map(MethodSettings::combinedName).toList().indexOf(name) + 1;
            training = new TrainingProgressBar(terminal, position + "/" + phases + " " + name);
        }
        training.emit(event);
    }

    @Override
    public void onSamplingProgress(int done, int total) {
        if (sampling == null) {
            closeBars();
            sampling = ProgressBar.of(terminal, phases == 1 ? "sampling" : phases + "/" + phases + " sampling", total);
        }
        if (done != lastSampled) sampling.update(done);
        lastSampled = done;
    }

    @Override
    public void onNote(String line) {
        if (printedNotes.add(line)) terminal.printNote(line);
    }

    private void closeBars() {
        if (training != null) training.close();
        if (sampling != null) sampling.close();
        training = null;
        sampling = null;
    }
}
