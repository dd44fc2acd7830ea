package atomstudio.app.estimate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.ChildProcessLauncher.CommandResult;
import atomstudio.app.process.RunSpec;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.TrainingEstimate;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
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
            throw new Failure.Incompatible("The memory check itself ran out of memory. Close other programs, or choose "
                    + "a lower resolution.");
        if (result.exitCode() != 0)
            throw new Failure.Unreadable(!result.lastErrorLines().isEmpty() ? result.lastErrorLines()
                    : "The memory check ended unexpectedly (exit code " + result.exitCode() + "). Try again.");
        try {
            JsonObject json = JsonParser.parseString(result.output()).getAsJsonObject();
            TrainingEstimate.MemoryFit memory = new TrainingEstimate.MemoryFit(json.get("memory").getAsLong(),
                    json.get("memorySource").getAsString(), json.get("available").getAsLong());
            TrainingEstimate.TimeEstimate time = new TrainingEstimate.TimeEstimate(
                    json.get("secondsPerStep").getAsDouble(), json.get("secondsBefore").getAsDouble(),
                    json.get("seconds").getAsDouble());
            List<String> advice = json.getAsJsonArray("advice")
                    .asList()
                    .stream()
                    .map(JsonElement::getAsString)
                    .toList();
            return new TrainingEstimate(json.get("parameters").getAsLong(), json.get("share").getAsDouble(), memory,
                    time,
                    advice);
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            throw new Failure.Unreadable("The estimate is not readable: expected one JSON object, found \""
                    + result.output().strip() + "\"", e);
        }
    }
}
