package atomstudio.app.experiment;

import atomstudio.app.experiment.ExperimentRow.Key;
import atomstudio.app.experiment.Trial.Phase;
import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The part of the experiment to run.
/// @param subjects      empty: all of each phase
/// @param variants      methods with their settings
/// @param seeds         maximum of training seeds in the test phase; some methods have fewer
/// @param learningRates by variant name, instead of those selected in phase tune
public record ExperimentPlan(List<Phase> phases, List<String> subjects, List<MethodVariant> variants, int seeds,
        Map<String, Double> learningRates, RunLength runLength) {
    /// Length of the runs.
    /// @param stepsScale  factor on the steps of every method
    /// @param checkpoints evaluations per run
    public record RunLength(double stepsScale, int checkpoints) {
        /// All steps, four evaluations.
        public static final RunLength FULL = new RunLength(1, 4);

        public RunLength {
            if (!(stepsScale > 0 && stepsScale <= 100))
                throw new IllegalArgumentException(
                        "steps-scale: expected a number above 0, at most 100, found " + stepsScale);
            if (checkpoints < 1)
                throw new IllegalArgumentException("checkpoints: expected at least 1, found " + checkpoints);
        }

        int steps(MethodVariant variant) {
            return Math.max(1, (int) Math.round(variant.steps() * stepsScale));
        }
    }

    public ExperimentPlan {
        if (seeds < 1) throw new IllegalArgumentException("seeds: expected at least 1, found " + seeds);
        phases = List.copyOf(phases);
        subjects = List.copyOf(subjects);
        variants = List.copyOf(variants);
        learningRates = Map.copyOf(learningRates);
    }

    /// The requested subjects of a phase.
    public List<ExperimentSubject> subjectsOf(Phase phase) throws Failure {
        List<ExperimentSubject> selected = new ArrayList<>();
        for (String name : subjects.isEmpty() ? phase.subjects() : subjects) {
            boolean isCustom = name.contains(":") && phase == Phase.TEST;
            if (!subjects.isEmpty() && phases.size() > 1 && !isCustom && !phase.subjects().contains(name)) continue;
            selected.add(ExperimentSubject.ofName(name)
                    .orElseThrow(() -> new Failure.Incompatible(
                            "subject " + name + ": expected one of " + String.join(", ", ExperimentSubject.names()))));
        }
        return selected;
    }

    /// The evaluations of the base model, then the trials.
    List<ExperimentUnit> units(Phase phase, List<ExperimentRow> rows) throws Failure {
        List<ExperimentUnit> units = new ArrayList<>();
        for (ExperimentSubject subject : subjectsOf(phase)) {
            for (String method : List.of(Key.BASE_MODEL, Key.BASE_MODEL_WITH_TOKEN))
                units.add(new ExperimentUnit.BaseEvaluation(phase, subject, method));
        }
        units.addAll(trials(phase, rows));
        return units;
    }

    /// The trials of a phase, ordered by seed, so that a partial table covers every method.
    /// @param rows of phase tune, which select the learning rates of phase test
    public List<Trial> trials(Phase phase, List<ExperimentRow> rows) throws Failure {
        List<Trial> trials = new ArrayList<>();
        for (long seed = 0; seed < (phase == Phase.TEST ? seeds : 1); seed++) {
            for (ExperimentSubject subject : subjectsOf(phase)) {
                for (MethodVariant variant : variants) {
                    if (seed >= variant.seeds()) continue;
                    for (double learningRate : learningRates(phase, variant, rows))
                        trials.add(new Trial(phase, subject, variant, new Trial.TrialSettings(learningRate,
                                runLength.steps(variant), seed, runLength.checkpoints)));
                }
            }
        }
        return trials;
    }

    private List<Double> learningRates(Phase phase, MethodVariant variant, List<ExperimentRow> rows) {
        Double fixed = learningRates.get(variant.name());
        if (fixed != null) return List.of(fixed);
        return switch (phase) {
            case TUNE -> variant.learningRates();
            case TEST -> List.of(best(rows, variant.name()).orElse(variant.defaultRate()));
        };
    }

    /// The learning rate of a method with the best checkpoint by [ExperimentRow#score], averaged over the subjects of
    /// phase tune.
    static Optional<Double> best(List<ExperimentRow> table, String method) {
        List<ExperimentRow> tuningRows = table.stream()
                .filter(row -> row.key().phase().equals(Phase.TUNE.label()))
                .toList();
        Map<String, Double> baseLikeness = new HashMap<>();
        for (ExperimentRow row : tuningRows) {
            if (row.key().method().equals(Key.BASE_MODEL))
                baseLikeness.put(row.key().subject(), row.measures().likeness().orElse(0));
        }
        List<ExperimentRow> rows = tuningRows.stream().filter(row -> row.key().method().equals(method)).toList();
        return ExperimentTable.groupBy(rows, row -> row.key().learningRate())
                .entrySet()
                .stream()
                .max(Comparator.comparingDouble(rate -> best(rate.getValue(), baseLikeness)))
                .map(Map.Entry::getKey);
    }

    private static double best(List<ExperimentRow> rateRows, Map<String, Double> baseLikeness) {
        return ExperimentTable.groupBy(rateRows, ExperimentPlan::checkpointKey)
                .values()
                .stream()
                .mapToDouble(rows -> rows.stream()
                        .mapToDouble(row -> row.score(baseLikeness.getOrDefault(row.key().subject(), 0.0)))
                        .average()
                        .orElse(0))
                .max()
                .orElse(0);
    }

    /// Checkpoint and length of the run.
    private static String checkpointKey(ExperimentRow row) {
        Key key = row.key();
        return key.checkpoint() + "/" + key.steps();
    }
}
