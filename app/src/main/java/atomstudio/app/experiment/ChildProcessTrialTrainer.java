package atomstudio.app.experiment;

import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.TrainingProcess;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.run.RunFolder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/// Tunes with this program's own `tune` command, each time in a process of its own, so that the memory it reports is
/// the run's alone.
/// @param precision of frozen weights and activations, for every run
public record ChildProcessTrialTrainer(ChildProcessLauncher trainer, TrainingConfig.PrecisionMode precision)
        implements Experiment.TrialTrainer {
    /// The exit code of a command line that is not understood.
    private static final int USAGE_EXIT_CODE = 2;
    private static final Duration PREDECESSOR_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

    @Override
    public TrialOutcome train(TrialRequest request, BooleanSupplier stop) throws Failure {
        try {
            awaitPredecessor(new RunFolder(request.runFolder()), stop);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new TrialOutcome.TrialStopped();
        }
        try (TrainingProcess process = trainer.start(arguments(request, precision),
                "experiment-" + request.trial().folderName().replace('/', '-'))) {
            boolean stopSent = false;
            OptionalInt exitCode = process.await(POLL_INTERVAL);
            while (exitCode.isEmpty()) {
                if (!stopSent && stop.getAsBoolean()) {
                    process.send(TrainingProcess.ProcessCommand.STOP);
                    stopSent = true;
                }
                exitCode = process.await(POLL_INTERVAL);
            }
            if (exitCode.getAsInt() == 0) return new TrialOutcome.TrialCompleted();
            if (exitCode.getAsInt() == USAGE_EXIT_CODE) return new TrialOutcome.UnsupportedMethod(process.lastOutput());
            return stopSent || stop.getAsBoolean() ? new TrialOutcome.TrialStopped()
                    : new TrialOutcome.TrialFailed(process.lastOutput());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new TrialOutcome.TrialStopped();
        }
    }

    /// The child of an experiment that was killed writes its checkpoint before it ends, and holds the run until then.
    private static void awaitPredecessor(RunFolder runFolder, BooleanSupplier stop) throws InterruptedException {
        for (long waitedMillis = 0; waitedMillis < PREDECESSOR_TIMEOUT.toMillis()
                && runFolder.status() == RunFolder.Status.RUNNING && !stop.getAsBoolean();
                waitedMillis += POLL_INTERVAL.toMillis())
            Thread.sleep(POLL_INTERVAL);
    }

    static List<String> arguments(TrialRequest request, TrainingConfig.PrecisionMode precision) {
        Trial trial = request.trial();
        List<String> arguments = new ArrayList<>(
                List.of("tune", "--control-stdin", ChildProcessLauncher.option("model", request.model()),
                        ChildProcessLauncher.option("pictures", request.photos()),
                        ChildProcessLauncher.option("class", trial.subject().className())));
        arguments.addAll(trial.variant().options());
        arguments.addAll(List.of(ChildProcessLauncher.option("learning-rate", trial.settings().learningRate()),
                ChildProcessLauncher.option("seed", trial.settings().seed()),
                ChildProcessLauncher.option("steps", request.endStep()),
                ChildProcessLauncher.option("precision", precision.option()),
                ChildProcessLauncher.option("out", request.runFolder())));
        return arguments;
    }
}
