package atomstudio.tuning.train;

import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.optimize.Orthogonalization;
import atomstudio.tuning.optimize.Prodigy;
import java.util.ArrayList;
import java.util.List;

/// The optimizer of a recipe, new or as a checkpoint left it, and the learning rates of its parameter groups.
final class Optimizers {
    private Optimizers() {}

    /// A group a layer, layers of one part of the method one after another joined.
    static List<LearningRates.Group> groups(Recipe recipe, MethodSettings method, SlotLayout layout) {
        Recipe.Rates rates = recipe.course().rates();
        List<LearningRates.Group> groups = new ArrayList<>();
        int at = 0;
        for (SlotLayout.Entry entry : layout.trained()) {
            double factor = rates.of(method.trained(entry.layer())) / rates.method();
            int end = at + Math.toIntExact(entry.slot().shape().elements());
            int from = !groups.isEmpty() && groups.getLast().factor() == factor ? groups.removeLast().from() : at;
            groups.add(new LearningRates.Group(from, end, factor));
            at = end;
        }
        return List.copyOf(groups);
    }

    /// @param orthogonalization for Muon
    static Optimizer of(Recipe recipe, SlotLayout layout, TrainingState from, Orthogonalization orthogonalization) {
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
