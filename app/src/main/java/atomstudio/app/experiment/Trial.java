package atomstudio.app.experiment;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// One run of the experiment.
public record Trial(Phase phase, ExperimentSubject subject, MethodVariant variant, TrialSettings settings)
        implements ExperimentUnit {
    public enum Phase {
        /// Selects the learning rates, on subjects that are not used otherwise.
        TUNE(List.of("boat", "clock", "ghost")),
        /// Evaluates on subjects that were not used for any selection.
        TEST(List.of("owl", "cat", "car", "teapot", "violin", "backpack"));

        private final List<String> subjects;

        Phase(List<String> subjects) {
            this.subjects = subjects;
        }

        /// Names of the phase's subjects.
        public List<String> subjects() {
            return subjects;
        }

        /// In options and tables.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param checkpoints number of evaluations, evenly spaced, the last after the last step
    public record TrialSettings(double learningRate, int steps, long seed, int checkpoints) {
        /// Steps after which the run is evaluated.
        public List<Integer> checkpointSteps() {
            return IntStream.rangeClosed(1, checkpoints)
                    .map(i -> Math.ceilDiv(steps * i, checkpoints))
                    .distinct()
                    .boxed()
                    .toList();
        }
    }

    @Override
    public List<ExperimentRow.Key> keys() {
        return settings.checkpointSteps().stream().map(step -> ExperimentRow.Key.of(this, step)).toList();
    }

    /// The run's folder name, unique for each trial.
    public String folderName() {
        return subject.name() + "/" + variant.name() + "-" + ExperimentTable.formatNumber(settings.learningRate) + "-"
                + settings.steps + "x" + settings.checkpoints + "-" + settings.seed;
    }
}
