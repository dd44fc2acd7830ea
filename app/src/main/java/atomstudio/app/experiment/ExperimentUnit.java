package atomstudio.app.experiment;

import atomstudio.app.experiment.ExperimentRow.Key;
import java.util.List;

/// A part of an experiment that is done by one process: a trial, or the evaluation of the base model.
sealed interface ExperimentUnit permits Trial, ExperimentUnit.BaseEvaluation {
    /// Of the rows that it adds to the table.
    List<Key> keys();

    /// @param method [Key#BASE_MODEL] or [Key#BASE_MODEL_WITH_TOKEN]
    record BaseEvaluation(Trial.Phase phase, ExperimentSubject subject, String method) implements ExperimentUnit {
        @Override
        public List<Key> keys() {
            return List.of(Key.ofBaseModel(phase, subject, method));
        }
    }
}
