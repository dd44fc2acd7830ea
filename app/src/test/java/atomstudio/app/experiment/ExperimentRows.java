package atomstudio.app.experiment;

import atomstudio.app.experiment.ExperimentRow.Cost;
import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.tuning.measure.ClipScores;
import java.util.OptionalDouble;

/// Rows with given metrics.
final class ExperimentRows {
    private ExperimentRows() {}

    static ExperimentRow of(Key key, double likeness, double alignment) {
        ExperimentSubject.SubjectKind kind = ExperimentSubject.ofName(key.subject()).orElseThrow().kind();
        return new ExperimentRow(key, kind, new Cost(2268, 10_784, 12.5, 500_000_000),
                new ClipScores("image_encoder of \"Small\", illustrated", OptionalDouble.of(likeness),
                        OptionalDouble.empty(), OptionalDouble.of(alignment)));
    }

    static Key tune(String subject, String method, double rate, int checkpoint) {
        return new Key("tune", subject, method, rate, 400, 0, checkpoint);
    }

    static Key test(String subject, String method, long seed, int checkpoint) {
        return new Key("test", subject, method, 0.01, 400, seed, checkpoint);
    }
}
