package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.train.Control;
import atomstudio.tuning.train.Report;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.TuneListener;
import atomstudio.tuning.train.TuneOutcome;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Locale;

/// A run as the terminal shows it: a bar while it goes on, its report at the end.
record TrainingRunner(CommandContext context, Path runFolder, TrainingFormat format) {
    enum TrainingFormat { LINES, JSON }

    /// Trains, or goes on training.
    interface TrainingTask {
        TuneOutcome run(Control control, TuneListener listener) throws Failure;
    }

    /// @return the exit code
    int execute(String method, ControlOption controlOption, TrainingTask task) throws Failure {
        try (StopSignal.Registration registration = context.stopSignal().register(); TrainingProgressBar progress = new TrainingProgressBar(context.terminal(), method)) {
            TuneOutcome outcome = task.run(controlOption.control(context), progress);
            progress.close();
            return printOutcome(method, outcome);
        }
    }

    private int printOutcome(String method, TuneOutcome outcome) {
        return switch (outcome) {
            case TuneOutcome.Finished finished -> {
                context.terminal().printResult(switch (format) {
                    case JSON -> json(method, finished.report()).toString();
                    case LINES -> text(method, finished.report());
                });
                yield ExitCode.SUCCESS;
            }
            case TuneOutcome.Stopped stopped -> {
                context.terminal().printNote("Stopped after step %d of %d; the same command goes on from there.".formatted(stopped.step(), stopped.steps()));
                yield ExitCode.CANCELLED;
            }
        };
    }

    private String text(String method, Report report) {
        String best = report.best().isPresent() ? ", the adapter is that of step " + report.best().getAsInt() : "";
        return String.format(Locale.ROOT, "%s%n%s: %,d numbers (%.2f %% of the network), %,d bytes, %d steps in %.1f s, loss %s%s",
                new RunFolder(runFolder).adapter(), method, report.numbers(), 100 * report.share(), report.bytes(), report.steps(), report.seconds(),
                report.loss().isPresent() ? String.format(Locale.ROOT, "%.4f", report.loss().getAsDouble()) : "unknown", best);
    }

    private JsonObject json(String method, Report report) {
        JsonObject object = new JsonObject();
        object.addProperty("run", runFolder.toString());
        object.addProperty("adapter", new RunFolder(runFolder).adapter().toString());
        object.addProperty("method", method);
        object.addProperty("numbers", report.numbers());
        object.addProperty("share", report.share());
        object.addProperty("bytes", report.bytes());
        report.adapter().sha256().ifPresent(hash -> object.addProperty("sha256", hash));
        object.addProperty("steps", report.steps());
        object.addProperty("seconds", report.seconds());
        object.add("loss", Json.numberOrNull(report.loss().orElse(Double.NaN)));
        object.addProperty("peakMemory", report.peakMemory());
        report.best().ifPresent(step -> object.addProperty("best", step));
        return object;
    }
}
