package atomstudio.tuning.config;

import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.Trigger;
import atomstudio.tuning.method.MethodSettings;
import java.nio.file.Path;

/// A training job: a method on a model, trained on a folder of photos of the subject "TRIGGER-WORD CLASS".
/// @param start the adapters that it starts from
public record TrainingRequest(ModelReference model, Path photos, Trigger trigger, MethodSettings method,
        TrainingConfig config, StartingAdapters start) {
    /// One token of CLIP's vocabulary without a meaning of its own.
    public static final String DEFAULT_TOKEN = "sks";

    public TrainingRequest {
        trigger = new Trigger(requireWord("token", trigger.token()), requireWord("class", trigger.className()));
    }

    /// From the method's initialization on the base model.
    public TrainingRequest(ModelReference model, Path photos, Trigger trigger, MethodSettings method,
            TrainingConfig config) {
        this(model, photos, trigger, method, config, StartingAdapters.NONE);
    }

    /// With the method's defaults on a small model and the default trigger word.
    public static TrainingRequest of(Path model, Path photos, String className, MethodSettings method) {
        return of(ModelReference.of(model), photos, className, method);
    }

    public static TrainingRequest of(ModelReference model, Path photos, String className, MethodSettings method) {
        return new TrainingRequest(model, photos, new Trigger(DEFAULT_TOKEN, className), method,
                TrainingConfig.of(method));
    }

    public TrainingRequest with(TrainingConfig config) {
        return new TrainingRequest(model, photos, trigger, method, config, start);
    }

    public TrainingRequest startingFrom(StartingAdapters start) {
        return new TrainingRequest(model, photos, trigger, method, config, start);
    }

    public TrainingRequest withToken(String token) {
        return new TrainingRequest(model, photos, new Trigger(token, trigger.className()), method, config, start);
    }

    public TrainingRequest withSteps(int steps) {
        return with(config.with(TrainingSetting.STEPS, steps));
    }

    public TrainingRequest withLearningRate(double learningRate) {
        return with(config.with(TrainingSetting.LEARNING_RATE, learningRate));
    }

    public TrainingRequest withSeed(long seed) {
        return with(config.with(TrainingSetting.SEED, seed));
    }

    public TrainingRequest withPreviewEvery(int previewEvery) {
        return with(config.with(TrainingSetting.PREVIEW_EVERY, previewEvery));
    }

    private static String requireWord(String name, String text) {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) throw new IllegalArgumentException(name + ": expected a word, found nothing");
        return trimmed;
    }
}
