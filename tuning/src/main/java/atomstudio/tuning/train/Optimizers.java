package atomstudio.tuning.train;

import atomstudio.tuning.method.SlotLayout;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.Muon;
import atomstudio.tuning.optimize.Optimizer;
import atomstudio.tuning.optimize.Prodigy;

/// The optimizer of a recipe, new or as a checkpoint left it.
final class Optimizers {
    private Optimizers() {}

    static Optimizer of(Recipe recipe, SlotLayout layout, TrainingState from) {
        boolean fresh = from.step() == 0;
        int size = from.numbers().length;
        Optimizer.State state = new Optimizer.State(from.vectors(), from.scalars());
        return switch (recipe.update().optimizer()) {
            case ADAMW -> fresh ? new AdamW(size, 0) : new AdamW(from.vectors().get("first"), from.vectors().get("second"), from.step(), 0);
            case PRODIGY -> fresh ? new Prodigy(from.numbers()) : new Prodigy(state);
            case MUON -> fresh ? new Muon(layout.shapes(), size) : new Muon(layout.shapes(), state, from.step());
        };
    }
}
