package atomstudio.app.experiment;

import atomstudio.tuning.measure.ClipScores;

/// A row of the table: a run at one of its checkpoints, or the untuned model.
public record ExperimentRow(Key key, ExperimentSubject.SubjectKind subjectKind, Cost cost, ClipScores measures) {
    /// What tells rows apart; equal keys are the same measurement.
    /// @param steps      of the whole run
    /// @param checkpoint steps after which it was looked at
    public record Key(String phase, String subject, String method, double learningRate, int steps, long seed,
            int checkpoint) {
        /// The model as it is, asked for the class word alone.
        public static final String BASE_MODEL = "untuned";
        /// The model as it is, asked for token and class word.
        public static final String BASE_MODEL_WITH_TOKEN = "untuned-token";

        static Key of(Trial trial, int checkpoint) {
            Trial.TrialSettings settings = trial.settings();
            return new Key(trial.phase().label(), trial.subject().name(), trial.variant().name(),
                    settings.learningRate(), settings.steps(), settings.seed(), checkpoint);
        }

        static Key ofBaseModel(Trial.Phase phase, ExperimentSubject subject, String method) {
            return new Key(phase.label(), subject.name(), method, 0, 0, 0, 0);
        }
    }

    /// @param trainingSeconds    of training up to here
    /// @param peakMemoryBytes most resident bytes of the process that trained up to here
    public record Cost(long parameters, long fileBytes, double trainingSeconds, long peakMemoryBytes) {
        static final Cost NONE = new Cost(0, 0, 0, 0);
    }

    /// What settings are chosen by: the likeness gained over the untuned model's times alignment; 0 where either is
    /// negative.
    double score(double baseLikeness) {
        return Math.max(0, measures.likeness().orElse(0) - baseLikeness) * Math.max(0, measures.alignment().orElse(0));
    }
}
