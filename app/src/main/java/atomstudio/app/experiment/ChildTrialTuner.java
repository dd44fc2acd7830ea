package atomstudio.app.experiment;

import atomstudio.app.tune.ChildTuner;
import atomstudio.app.tune.TuneProcess;
import atomstudio.diffusion.Failure;
import atomstudio.tuning.train.Recipe;
import atomstudio.tuning.train.RunFolder;
import atomstudio.tuning.train.RunStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/// Tunes with this program's own `tune` command, each time in a process of its own, so that the memory it reports is the run's alone.
/// @param precision of frozen weights and activations, for every run
public record ChildTrialTuner(ChildTuner program, Recipe.Precision precision) implements TrialTuner {
    /// The exit code of a command line that is not understood.
    private static final int USAGE = 2;
    private static final Duration PREDECESSOR = Duration.ofMinutes(1);
    private static final Duration PATIENCE = Duration.ofMillis(200);

    @Override public Ended tune(Order order, BooleanSupplier stop) throws Failure {
        try {
            awaitPredecessor(new RunFolder(order.run()), stop);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Ended.Stopped();
        }
        try (TuneProcess process = program.start(arguments(order, precision), "experiment-" + order.trial().folder().replace('/', '-'))) {
            boolean told = false;
            OptionalInt code = process.await(PATIENCE);
            while (code.isEmpty()) {
                if (!told && stop.getAsBoolean()) {
                    process.send(TuneProcess.Order.STOP);
                    told = true;
                }
                code = process.await(PATIENCE);
            }
            if (code.getAsInt() == 0) return new Ended.Done();
            if (code.getAsInt() == USAGE) return new Ended.Unknown(process.lastWords());
            return told || stop.getAsBoolean() ? new Ended.Stopped() : new Ended.Refused(process.lastWords());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Ended.Stopped();
        }
    }

    /// The child of an experiment that was killed writes its checkpoint before it ends, and holds the run until then.
    private static void awaitPredecessor(RunFolder run, BooleanSupplier stop) throws InterruptedException {
        for (long waited = 0; waited < PREDECESSOR.toMillis() && run.status() == RunStatus.RUNNING && !stop.getAsBoolean(); waited += PATIENCE.toMillis()) Thread.sleep(PATIENCE);
    }

    static List<String> arguments(Order order, Recipe.Precision precision) {
        Trial trial = order.trial();
        List<String> arguments = new ArrayList<>(List.of("tune", "--control-stdin", ChildTuner.option("model", order.model()),
                ChildTuner.option("pictures", order.pictures()), ChildTuner.option("class", trial.thing().className())));
        arguments.addAll(trial.variant().options());
        arguments.addAll(List.of(ChildTuner.option("rate", trial.settings().rate()), ChildTuner.option("seed", trial.settings().seed()),
                ChildTuner.option("steps", order.until()), ChildTuner.option("precision", precision.option()), ChildTuner.option("out", order.run())));
        return arguments;
    }
}
