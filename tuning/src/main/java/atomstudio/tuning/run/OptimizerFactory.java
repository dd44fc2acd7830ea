package atomstudio.tuning.run;

import atomstudio.diffusion.ops.Layer;
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

    /// One group per layer; neighbours with equal values are joined. A layer has the rate and decay of the config's
    /// groups; else the rate of its part (the method, a combined method, a word, the text encoder).
    public static List<LearningRates.ParameterGroup> parameterGroups(TrainingConfig config, MethodSettings method,
            ParameterLayout layout) {
        List<LearningRates.ParameterGroup> groups = new ArrayList<>();
        int offset = 0;
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            int end = offset + Math.toIntExact(entry.spec().shape().elements());
            LearningRates.ParameterGroup group = group(config, method, entry.layer());
            boolean joins = !groups.isEmpty() && groups.getLast().factor() == group.factor()
                    && groups.getLast().weightDecay() == group.weightDecay();
            int from = joins ? groups.removeLast().from() : offset;
            groups.add(new LearningRates.ParameterGroup(from, end, group.factor(), group.weightDecay()));
            offset = end;
        }
        return List.copyOf(groups);
    }

    /// An empty group with the values of a layer.
    private static LearningRates.ParameterGroup group(TrainingConfig config, MethodSettings method, Layer layer) {
        TrainingConfig.LearningRateConfig learningRates = config.schedule().learningRates();
        TrainingConfig.OptimizerConfig optimizer = config.optimizer();
        double rate = optimizer.groups()
                .learningRate(layer)
                .orElseGet(() -> learningRates.rateOf(method.learningRateGroup(layer)));
        return new LearningRates.ParameterGroup(0, 0, rate / learningRates.method(),
                optimizer.groups().weightDecay(layer).orElse(optimizer.weightDecay()));
    }

    /// @param orthogonalization for Muon
    public static Optimizer create(TrainingConfig config, ParameterLayout layout, TrainingState state,
            Muon.Orthogonalization orthogonalization) {
        boolean isNew = state.step() == 0;
        int size = state.parameters().length;
        Optimizer.State optimizerState = new Optimizer.State(state.vectors(), state.scalars());
        return switch (config.optimizer().name()) {
            case ADAMW -> isNew ? new AdamW(size)
                    : new AdamW(state.vectors().get("first"), state.vectors().get("second"), state.step());
            case PRODIGY -> isNew ? new Prodigy(state.parameters()) : new Prodigy(optimizerState);
            case MUON -> isNew ? new Muon(layout.shapes(), size, orthogonalization)
                    : new Muon(layout.shapes(), optimizerState, state.step(), orthogonalization);
        };
    }
}
