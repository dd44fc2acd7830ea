package atomstudio.app.experiment;

import atomstudio.tuning.measure.ClipScores;

/// A row of the table: a run at one checkpoint, or the base model.
public record ExperimentRow(Key key, ExperimentSubject.SubjectKind subjectKind, Cost cost, ClipScores measures) {
    /// Identifies a row.
    /// @param steps      of the whole run
    /// @param checkpoint the evaluated step
    public record Key(String phase, String subject, String method, double learningRate, int steps, long seed,
            int checkpoint) {
        /// The base model, prompted with the class alone.
        public static final String BASE_MODEL = "untuned";
        /// The base model, prompted with trigger word and class.
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

    /// @param trainingSeconds up to the checkpoint
    /// @param peakMemoryBytes peak resident memory of the training process
    public record Cost(long parameters, long fileBytes, double trainingSeconds, long peakMemoryBytes) {
        static final Cost NONE = new Cost(0, 0, 0, 0);
    }

    /// Score that selects settings: likeness gained over the base model, times alignment; 0 if either is negative.
    /// Likeness alone would also reward a model that has learned nothing.
    double score(double baseLikeness) {
        return Math.max(0, measures.likeness().orElse(0) - baseLikeness) * Math.max(0, measures.alignment().orElse(0));
    }
}
