package atomstudio.tuning.train;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.optimize.Orthogonalization;
import atomstudio.tuning.optimize.Prodigy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The optimizer of a recipe, new or as a checkpoint left it, and the learning rates of its parameter groups.
final class Optimizers {
    private Optimizers() {}

    /// Checks that a checkpoint has what its optimizer goes on with.
    /// @throws IllegalArgumentException that names what is missing
    static void require(Recipe recipe, int step, Map<String, float[]> vectors, Map<String, Double> scalars) {
        if (step == 0) return;
        List<String> needed = new ArrayList<>(switch (recipe.update().optimizer()) {
            case ADAMW -> List.of("first", "second");
            case PRODIGY -> List.of("start", "first", "second", "sum", "distance", "numerator");
            case MUON -> List.of("momentum", "first", "second");
        });
        if (recipe.update().ema() > 0) needed.add(TrainingState.MEAN);
        needed.removeAll(vectors.keySet());
        needed.removeAll(scalars.keySet());
        if (!needed.isEmpty()) throw new IllegalArgumentException("no " + String.join(", ", needed) + ", which " + recipe.update().optimizer().option() + " goes on with");
    }

    /// A group a layer, layers of one part of the method one after another joined.
    static List<LearningRates.ParameterGroup> groups(Recipe recipe, MethodSettings method, ParameterLayout layout) {
        Recipe.Rates rates = recipe.course().rates();
        List<LearningRates.ParameterGroup> groups = new ArrayList<>();
        int at = 0;
        for (ParameterLayout.LayerParameter entry : layout.trained()) {
            double factor = rates.of(method.learningRateGroup(entry.layer())) / rates.method();
            int end = at + Math.toIntExact(entry.spec().shape().elements());
            int from = !groups.isEmpty() && groups.getLast().factor() == factor ? groups.removeLast().from() : at;
            groups.add(new LearningRates.ParameterGroup(from, end, factor));
            at = end;
        }
        return List.copyOf(groups);
    }

    /// @param orthogonalization for Muon
    static Optimizer of(Recipe recipe, ParameterLayout layout, TrainingState from, Orthogonalization orthogonalization) {
        boolean fresh = from.step() == 0;
        int size = from.numbers().length;
        Optimizer.State state = new Optimizer.State(from.vectors(), from.scalars());
        return switch (recipe.update().optimizer()) {
            case ADAMW -> fresh ? new AdamW(size, 0) : new AdamW(from.vectors().get("first"), from.vectors().get("second"), from.step(), 0);
            case PRODIGY -> fresh ? new Prodigy(from.numbers()) : new Prodigy(state);
            case MUON -> fresh ? new Muon(layout.shapes(), size, orthogonalization) : new Muon(layout.shapes(), state, from.step(), orthogonalization);
        };
    }
}
