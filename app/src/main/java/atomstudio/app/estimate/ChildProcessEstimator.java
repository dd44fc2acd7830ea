package atomstudio.app.estimate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.ChildProcessLauncher.CommandResult;
import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.json.Json;
import atomstudio.tuning.train.TrainingEstimate;
import java.util.ArrayList;
import java.util.List;

/// Estimates a run by the training command's dry run in a child process.
public record ChildProcessEstimator(ChildProcessLauncher launcher) implements MemoryCheckViewModel.Estimator {
    @Override
    public TrainingEstimate estimate(RunSpec spec, Cancellation cancellation) throws Failure, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("train", "--dry-run", "--json", "--control-stdin"));
        arguments.addAll(ChildProcessLauncher.trainingArguments(spec));
        return parse(launcher.run(arguments, "estimate", cancellation));
    }

    private static TrainingEstimate parse(CommandResult result) throws Failure {
        if (result.exitCode() == 137)
            throw new Failure.Incompatible(text("estimate.the-memory-check-itself-ran-out"));
        if (result.exitCode() != 0)
            throw new Failure.Unreadable(!result.lastErrorLines().isEmpty() ? result.lastErrorLines()
                    : text("estimate.the-memory-check-ended-unexpectedly-exit", result.exitCode()));
        Json json = Json.parse(text("estimate.the-estimate"), result.output());
        TrainingEstimate.MemoryFit memory = new TrainingEstimate.MemoryFit(json.integer("memory"),
                json.string("memorySource"), json.integer("available"));
        TrainingEstimate.TimeEstimate time = new TrainingEstimate.TimeEstimate(json.number("secondsPerStep"),
                json.number("secondsBefore"), json.number("seconds"));
        return new TrainingEstimate(json.integer("parameters"), json.number("share"), memory, time,
                json.strings("advice"));
    }
}
