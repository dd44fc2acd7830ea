package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;

/// What a run makes beside its steps: previews, validations, and pictures of the class. Counted before the run.
/// @param validated how the numbers are validated, as far as the model allows it
record Watching(RunInfo info, Validated validated) {
    enum Validated { NONE, BY_LOSS, BY_SCORE }

    static Watching of(RunInfo info, DiffusionModel model) throws Failure {
        if (!info.training().recipe().has(Recipe.Feature.VALIDATE)) return new Watching(info, Validated.NONE);
        if (info.subject().pictures().size() >= Validation.ENOUGH) return new Watching(info, Validated.BY_LOSS);
        boolean scored = model.imageEncoder().isPresent() && model.textProjection().isPresent();
        return new Watching(info, scored ? Validated.BY_SCORE : Validated.NONE);
    }

    int validations() {
        int every = info.training().previewEvery();
        return validated == Validated.NONE ? 0 : times(every > 0 ? every : Validation.EVERY);
    }

    /// A validation that scores previews makes them where none are asked for.
    int previews() {
        int every = info.training().previewEvery();
        return every > 0 ? times(every) : validated == Validated.BY_SCORE ? validations() : 0;
    }

    /// Pictures of the class that the base model makes, whether or not an earlier run kept them.
    int classPictures() {
        return info.training().recipe().weighing().prior().filter(Recipe.Prior::made).isPresent() ? PriorPictures.COUNT : 0;
    }

    boolean samples() {
        return previews() + classPictures() > 0;
    }

    /// Before the first step, every so many steps, and after the last.
    private int times(int every) {
        int steps = info.training().steps();
        return 1 + steps / every + (steps % every == 0 ? 0 : 1);
    }
}
