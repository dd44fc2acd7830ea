package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.train.TrainingService;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Locale;

/// A run as the terminal shows it: a bar while it goes on, its report at the end.
record TrainingRunner(CommandContext context, Path runFolder, TrainingFormat format) {
    enum TrainingFormat { LINES, JSON }

    /// Trains, or goes on training.
    interface TrainingTask {
        TrainingService.TrainingOutcome run(RunControl control, EventSink listener) throws Failure;
    }

    /// @return the exit code
    int execute(String method, ControlOption controlOption, TrainingTask task) throws Failure {
        try (StopSignal.Registration registration = context.stopSignal().register();
                TrainingProgressBar progress = new TrainingProgressBar(context.terminal(), method)) {
            TrainingService.TrainingOutcome outcome = task.run(controlOption.control(context), progress);
            progress.close();
            return printOutcome(method, outcome);
        }
    }

    private int printOutcome(String method, TrainingService.TrainingOutcome outcome) {
        return switch (outcome) {
            case TrainingService.TrainingOutcome.Finished finished -> {
                context.terminal().printResult(switch (format) {
                    case JSON -> json(method, finished.report()).toString();
                    case LINES -> text(method, finished.report());
                });
                yield ExitCode.SUCCESS;
            }
            case TrainingService.TrainingOutcome.Stopped stopped -> {
                context.terminal()
                        .printNote("Stopped after step %d of %d; the same command goes on from there."
                                .formatted(stopped.step(), stopped.steps()));
                yield ExitCode.CANCELLED;
            }
        };
    }

    private String text(String method, TrainingReport report) {
        String best = report.bestStep().isPresent() ? ", the adapter is that of step " + report.bestStep().getAsInt()
                : "";
        return String.format(Locale.ROOT,
                "%s%n%s: %,d numbers (%.2f %% of the network), %,d bytes, %d steps in %.1f s, loss %s%s",
                new RunFolder(runFolder).adapter(), method, report.parameterCount(), 100 * report.parameterShare(),
                report.bytes(), report.steps(), report.seconds(),
                report.loss().isPresent() ? String.format(Locale.ROOT, "%.4f", report.loss().getAsDouble()) : "unknown",
                best);
    }

    private JsonObject json(String method, TrainingReport report) {
        JsonObject object = new JsonObject();
        object.addProperty("run", runFolder.toString());
        object.addProperty("adapter", new RunFolder(runFolder).adapter().toString());
        object.addProperty("method", method);
        object.addProperty("numbers", report.parameterCount());
        object.addProperty("share", report.parameterShare());
        object.addProperty("bytes", report.bytes());
        report.adapterFile().sha256().ifPresent(hash -> object.addProperty("sha256", hash));
        object.addProperty("steps", report.steps());
        object.addProperty("seconds", report.seconds());
        object.add("loss", Json.numberOrNull(report.loss().orElse(Double.NaN)));
        object.addProperty("peakMemory", report.peakMemory());
        report.bestStep().ifPresent(step -> object.addProperty("best", step));
        return object;
    }
}
