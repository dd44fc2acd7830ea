package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunControl;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.TrainingReport;
import atomstudio.tuning.train.TrainingService;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Trains a run with a progress bar, then prints its report: for `train` and `resume`.
record TrainingRunner(CommandContext context, Path runFolder, OutputOption output) {
    /// Starts or resumes the training.
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
                output.print(context.terminal(), () -> json(method, finished.report()),
                        () -> lines(method, finished.report()));
                yield ExitCode.SUCCESS;
            }
            case TrainingService.TrainingOutcome.Stopped stopped -> {
                context.terminal()
                        .printNote("Stopped after step %d of %d; the same command resumes the run."
                                .formatted(stopped.step(), stopped.steps()));
                yield ExitCode.CANCELLED;
            }
        };
    }

    private List<String> lines(String method, TrainingReport report) {
        String loss = report.loss().isPresent() ? String.format(Locale.ROOT, "%.4f", report.loss().getAsDouble())
                : "unknown";
        String best = report.bestStep().isPresent() ? ", best step " + report.bestStep().getAsInt() : "";
        return List.of(new RunFolder(runFolder).adapter().toString(),
                String.format(Locale.ROOT,
                        "%s: %,d trainable parameters (%.2f%% of the UNet), adapter %s, %d steps in %.1f s, loss %s%s",
                        method, report.parameterCount(), 100 * report.parameterShare(),
                        DisplayFormat.bytes(report.bytes()), report.steps(), report.seconds(), loss, best));
    }

    private JsonObject json(String method, TrainingReport report) {
        JsonObject object = new JsonObject();
        object.addProperty("run", runFolder.toString());
        object.addProperty("adapter", new RunFolder(runFolder).adapter().toString());
        object.addProperty("method", method);
        object.addProperty("parameters", report.parameterCount());
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
