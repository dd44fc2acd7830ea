package atomstudio.app.experiment;

import atomstudio.tuning.measure.Measures;

/// A row of the table: a run at one of its checkpoints, or the untuned model.
public record Entry(Key key, Thing.Kind kind, Cost cost, Measures measures) {
    /// What tells rows apart; equal keys are the same measurement.
    /// @param steps      of the whole run
    /// @param checkpoint steps after which it was looked at
    public record Key(String phase, String subject, String method, double rate, int steps, long seed, int checkpoint) {
        /// The model as it is, asked for the class word alone.
        public static final String UNTUNED = "untuned";
        /// The model as it is, asked for token and class word.
        public static final String UNTUNED_TOKEN = "untuned-token";

        static Key of(Trial trial, int checkpoint) {
            Trial.Settings settings = trial.settings();
            return new Key(trial.phase().word(), trial.thing().name(), trial.variant().name(), settings.rate(), settings.steps(), settings.seed(), checkpoint);
        }

        static Key untuned(Trial.Phase phase, Thing thing, String method) {
            return new Key(phase.word(), thing.name(), method, 0, 0, 0, 0);
        }
    }

    /// @param seconds    of training up to here
    /// @param peakMemory most resident bytes of the process that trained up to here
    public record Cost(long numbers, long bytes, double seconds, long peakMemory) {
        static final Cost NONE = new Cost(0, 0, 0, 0);
    }

    /// What settings are chosen by: the likeness gained over the untuned model's times alignment; 0 where either is negative.
    double score(double untunedLikeness) {
        return Math.max(0, measures.likeness().orElse(0) - untunedLikeness) * Math.max(0, measures.alignment().orElse(0));
    }
}
