package atomstudio.app.experiment;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// One run of the experiment.
public record Trial(Phase phase, ExperimentSubject subject, MethodVariant variant, TrialSettings settings) {
    public enum Phase {
        /// Rates are chosen on subjects that count for nothing else.
        TUNE(List.of("boat", "clock", "ghost")),
        /// What no choice has seen.
        TEST(List.of("owl", "cat", "car", "teapot", "violin", "backpack"));

        private final List<String> subjects;

        Phase(List<String> subjects) {
            this.subjects = subjects;
        }

        /// Names of the subjects that belong to it.
        public List<String> subjects() {
            return subjects;
        }

        /// In options and tables.
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param checkpoints how many times the run is looked at, at even distances, the last time at its end
    public record TrialSettings(double learningRate, int steps, long seed, int checkpoints) {
        /// Steps after which the run is looked at.
        public List<Integer> checkpointSteps() {
            return IntStream.rangeClosed(1, checkpoints).map(i -> Math.ceilDiv(steps * i, checkpoints)).distinct().boxed().toList();
        }
    }

    /// Names the run's folder: the same for the same run, other for any other.
    public String folderName() {
        return subject.name() + "/" + variant.name() + "-" + ExperimentTable.formatNumber(settings.learningRate) + "-" + settings.steps + "x" + settings.checkpoints + "-" + settings.seed;
    }
}
