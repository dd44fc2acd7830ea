package atomstudio.app.experiment;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.process.TrainingProcess;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.run.RunFolder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// Trains with this program's `train` command in a child process, so that the reported memory is that of the run alone.
/// @param precision of every run
public record ChildProcessTrialTrainer(ChildProcessLauncher trainer, TrainingConfig.PrecisionMode precision)
        implements TrialTrainer {
    /// Exit code of a wrong command line.
    private static final int USAGE_EXIT_CODE = 2;
    /// Exit codes after a signal, which a job scheduler may send to all processes; the second one before Java handled
    /// signals.
    private static final Set<Integer> STOPPED_EXIT_CODES = Set.of(130, 143);
    private static final Duration PREDECESSOR_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(200);

    @Override
    public TrialOutcome train(TrialRequest request, Cancellation cancellation) throws Failure {
        try {
            awaitPredecessor(new RunFolder(request.runFolder()), cancellation);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new TrialOutcome.TrialStopped();
        }
        try (TrainingProcess process = trainer.start(arguments(request, precision),
                "experiment-" + request.trial().folderName().replace('/', '-'))) {
            boolean stopSent = false;
            OptionalInt exitCode = process.await(POLL_INTERVAL);
            while (exitCode.isEmpty()) {
                if (!stopSent && cancellation.isRequested()) {
                    process.send(TrainingProcess.ProcessCommand.STOP);
                    stopSent = true;
                }
                exitCode = process.await(POLL_INTERVAL);
            }
            if (exitCode.getAsInt() == 0) return new TrialOutcome.TrialCompleted();
            if (exitCode.getAsInt() == USAGE_EXIT_CODE) return new TrialOutcome.UnsupportedMethod(process.lastOutput());
            return stopSent || cancellation.isRequested() || STOPPED_EXIT_CODES.contains(exitCode.getAsInt())
                    ? new TrialOutcome.TrialStopped()
                    : new TrialOutcome.TrialFailed(process.lastOutput());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new TrialOutcome.TrialStopped();
        }
    }

    /// Waits for the child process of a killed experiment, which writes its checkpoint and locks the run until then.
    private static void awaitPredecessor(RunFolder runFolder, Cancellation cancellation) throws InterruptedException {
        for (long waitedMillis = 0; waitedMillis < PREDECESSOR_TIMEOUT.toMillis()
                && runFolder.status() == RunFolder.Status.RUNNING && !cancellation.isRequested();
                waitedMillis += POLL_INTERVAL.toMillis())
            Thread.sleep(POLL_INTERVAL);
    }

    static List<String> arguments(TrialRequest request, TrainingConfig.PrecisionMode precision) {
        Trial trial = request.trial();
        List<String> arguments = new ArrayList<>(
                List.of("train", "--control-stdin", ChildProcessLauncher.option("model", request.model()),
                        ChildProcessLauncher.option("photos", request.photos()),
                        ChildProcessLauncher.option("class", trial.subject().className())));
        arguments.addAll(trial.variant().options());
        arguments.addAll(List.of(
                ChildProcessLauncher.option(TrainingSetting.LEARNING_RATE.option(), trial.settings().learningRate()),
                ChildProcessLauncher.option(TrainingSetting.SEED.option(), trial.settings().seed()),
                ChildProcessLauncher.option(TrainingSetting.STEPS.option(), request.endStep()),
                ChildProcessLauncher.option(TrainingSetting.PRECISION.option(), precision.option()),
                ChildProcessLauncher.option("out", request.runFolder())));
        return arguments;
    }
}
