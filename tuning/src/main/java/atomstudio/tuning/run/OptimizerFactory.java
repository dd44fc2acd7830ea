package atomstudio.tuning.run;

import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.optimize.Prodigy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Creates the optimizer of a training config, new or from a checkpoint, and its parameter groups.
public final class OptimizerFactory {
    private OptimizerFactory() {}

    /// Checks that a checkpoint has the optimizer's state.
    /// @throws IllegalArgumentException that names missing entries
    static void requireState(TrainingConfig config, int step, Map<String, float[]> vectors,
            Map<String, Double> scalars) {
        if (step == 0) return;
        List<String> missing = new ArrayList<>(switch (config.optimizer().name()) {
            case ADAMW -> List.of("first", "second");
            case PRODIGY -> List.of("start", "first", "second", "sum", "distance", "numerator");
            case MUON -> List.of("momentum", "first", "second");
        });
        if (config.optimizer().emaDecay() > 0) missing.add(TrainingState.EMA);
        missing.removeAll(vectors.keySet());
        missing.removeAll(scalars.keySet());
        if (!missing.isEmpty())
            throw new IllegalArgumentException(
                    "no " + String.join(", ", missing) + " of " + config.optimizer().name().option());
    }

    /// One group per layer; neighbours with the same learning rate are joined.
    public static List<LearningRates.ParameterGroup> parameterGroups(TrainingConfig config, MethodSettings method,
            ParameterLayout layout) {
        TrainingConfig.LearningRateConfig learningRates = config.schedule().learningRates();
        List<LearningRates.ParameterGroup> groups = new ArrayList<>();
        int offset = 0;
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            double factor = learningRates.rateOf(method.learningRateGroup(entry.layer())) / learningRates.method();
            int end = offset + Math.toIntExact(entry.spec().shape().elements());
            int from = !groups.isEmpty() && groups.getLast().factor() == factor ? groups.removeLast().from() : offset;
            groups.add(new LearningRates.ParameterGroup(from, end, factor));
            offset = end;
        }
        return List.copyOf(groups);
    }

    /// @param orthogonalization for Muon
    public static Optimizer create(TrainingConfig config, ParameterLayout layout, TrainingState state,
            Muon.Orthogonalization orthogonalization) {
        boolean isNew = state.step() == 0;
        int size = state.parameters().length;
        Optimizer.State optimizerState = new Optimizer.State(state.vectors(), state.scalars());
        return switch (config.optimizer().name()) {
            case ADAMW -> isNew ? new AdamW(size, 0)
                    : new AdamW(state.vectors().get("first"), state.vectors().get("second"), state.step(), 0);
            case PRODIGY -> isNew ? new Prodigy(state.parameters()) : new Prodigy(optimizerState);
            case MUON -> isNew ? new Muon(layout.shapes(), size, orthogonalization)
                    : new Muon(layout.shapes(), optimizerState, state.step(), orthogonalization);
        };
    }
}
