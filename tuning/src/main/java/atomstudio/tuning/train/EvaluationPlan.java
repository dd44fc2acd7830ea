package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.run.RunInfo;

/// How many previews, validations and class images a run makes besides its steps.
/// @param validationKind how the parameters are validated, as far as photos and model allow it
record EvaluationPlan(RunInfo info, ValidationKind validationKind) {
    enum ValidationKind { NONE, BY_LOSS, BY_SCORE }

    static EvaluationPlan of(RunInfo info, DiffusionModel model) throws Failure {
        if (!info.config().requested().has(TrainingConfig.Feature.VALIDATE))
            return new EvaluationPlan(info, ValidationKind.NONE);
        if (info.subject().photos().size() >= Validation.MIN_PHOTOS)
            return new EvaluationPlan(info, ValidationKind.BY_LOSS);
        boolean scored = model.imageEncoder().isPresent() && model.textProjection().isPresent();
        return new EvaluationPlan(info, scored ? ValidationKind.BY_SCORE : ValidationKind.NONE);
    }

    int validationCount() {
        int every = info.config().previewEvery();
        return validationKind == ValidationKind.NONE ? 0 : count(every > 0 ? every : Validation.DEFAULT_INTERVAL);
    }

    /// Validation by score makes previews even if none are requested.
    int previewCount() {
        int every = info.config().previewEvery();
        return every > 0 ? count(every) : validationKind == ValidationKind.BY_SCORE ? validationCount() : 0;
    }

    /// Class images that the base model generates, cached or not.
    int classImageCount() {
        return info.config()
                .requested()
                .loss()
                .priorPreservation()
                .filter(TrainingConfig.PriorPreservation::isGenerated)
                .isPresent() ? ClassImages.COUNT : 0;
    }

    boolean generatesImages() {
        return previewCount() + classImageCount() > 0;
    }

    /// Before the first step, every `every` steps, and after the last.
    private int count(int every) {
        int steps = info.config().steps();
        return 1 + steps / every + (steps % every == 0 ? 0 : 1);
    }
}
